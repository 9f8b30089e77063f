"""Settings of a resource's epochs, from ``GOVBUS_EPOCH_*``."""

import os
from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

PREFIX: Final = "GOVBUS_EPOCH_"


class EpochSettings(BaseModel):
    """A field ``look_s`` is read from ``GOVBUS_EPOCH_LOOK_S``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrink_percent: Annotated[float, Field(ge=0, le=100)] = 10.0
    """A sweep that would remove more of the candidates waits for an operator."""
    stalled_after_s: Annotated[float, Field(gt=0)] = 300.0
    """So long a snapshot may tell nothing and write nothing."""
    late_after_s: Annotated[float, Field(gt=0)] = 20.0
    """So long no further row may come after the scan has ended; then the table is scanned again."""
    ask_again_s: Annotated[float, Field(gt=0)] = 30.0
    """After so long a signal that the connector has not taken is sent again."""
    look_s: Annotated[float, Field(gt=0)] = 0.5
    """How long between two looks at the topics."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})
