"""The setting of retirements: for how long both versions run side by side at least."""

import os
from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from services.control.retirements.plan import SHORTEST_PARALLEL

PREFIX: Final = "GOVBUS_RETIREMENT_"
_YEARS: Final = 750
"""Three years of working days."""


class RetirementSettings(BaseModel):
    """A field ``working_days`` is read from ``GOVBUS_RETIREMENT_WORKING_DAYS``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    working_days: Annotated[int, Field(ge=1, le=_YEARS)] = SHORTEST_PARALLEL

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the setting from the environment over its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})
