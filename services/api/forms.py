"""What all bodies have in common: nothing unknown in them, and texts that a database can keep."""

from typing import Annotated, Final

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

LARGEST: Final = 2**63 - 1


def storable(text: str) -> str:
    """The text, unless the database could not keep it.

    Raises:
        ValueError: it holds the character NUL.
    """
    if "\0" in text:
        raise ValueError("the character NUL cannot be kept")
    return text


_Storable = AfterValidator(storable)
Word = Annotated[str, StringConstraints(min_length=1, max_length=200), _Storable]
"""A name, an id, a login."""
Text = Annotated[str, StringConstraints(max_length=4000), _Storable]
"""What people write; empty where nothing is said."""
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000), Field(json_schema_extra={"format": "password"})]
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=200, description="So many at most.")]
After = Annotated[
    str | None, Query(max_length=1000, description="The `next` of the page before.", alias="cursor")
]
Asked = Annotated[str | None, Query(max_length=200), _Storable]
"""A filter."""
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Of the caller's own choice: the same request with the same key takes place once.",
    ),
]
Seen = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The ETag of what was looked at, or `*`."),
]


class Form(BaseModel):
    """A body."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


