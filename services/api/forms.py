"""What all bodies and questions have in common: nothing unknown in them, and everything has its bounds."""

from typing import Annotated, Final

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.control.catalogue.vocabulary import Language

LARGEST: Final = 2**63 - 1
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name, an id, a login."""
Text = Annotated[str, StringConstraints(max_length=4000)]
"""What people write; empty where nothing is said."""
Secret = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    Field(json_schema_extra={"format": "password"}),
]
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=200, description="So many at most.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="The `next` of the page before.")]
Spoken = Annotated[
    Language,
    Query(description="Of headings and words of closed lists; the official form of a catalogue is Chinese."),
]
Filter = Annotated[str | None, Query(max_length=200)]
DepartmentFilter = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
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
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The ETag of what was looked at, or `*`."),
]


class Form(BaseModel):
    """A body."""

    model_config = ConfigDict(frozen=True, extra="forbid")
