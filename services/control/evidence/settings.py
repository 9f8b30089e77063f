"""Settings of evidence: which hash makes the tree, and who witnesses; from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PREFIX: Final = "GOVBUS_EVIDENCE_"


def _split(value: object) -> object:
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


class EvidenceSettings(BaseModel):
    """A field ``witness_file`` is read from ``GOVBUS_EVIDENCE_WITNESS_FILE``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tree: Literal["sha256", "sm3"] = "sha256"
    """The hash of a log that begins; one that has begun keeps its own."""
    idle_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """After how long without a new entry a checkpoint says that there was none."""
    lead_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    """How long after a rotation the new key begins: whoever seals at that moment knows the old one only."""
    witness_file: Path | None = None
    """A file that every new checkpoint is appended to; it must lie outside the bus's own folder."""
    witness_urls: Annotated[
        tuple[Annotated[str, Field(pattern=r"^https?://")], ...], BeforeValidator(_split)
    ] = ()
    """Addresses, separated by commas, to which each new checkpoint is posted."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})
