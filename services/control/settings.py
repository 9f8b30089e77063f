"""How long apply waits for whom and what it may do without asking; for how long a credential is good."""

import os
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from services.control.credential_life import DEFAULT_DAYS

PREFIX = "GOVBUS_APPLY_"
CREDENTIAL_PREFIX = "GOVBUS_CREDENTIAL_"


class ApplySettings(BaseModel):
    """A field ``revocation_lease_s`` is read from ``GOVBUS_APPLY_REVOCATION_LEASE_S``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revocation_lease_s: Annotated[float, Field(gt=0)] = 10.0
    """How long an instance may take to acknowledge a withdrawal before its transaction is ended for it.

    Only a silent one is waited for so long, and the consumer's right to read is gone before. It is longer
    than the most patience that a processor has with a hung transaction, together with its next attempt:
    whoever is fenced ends, and with it the delivery of every other grant of the group.
    """
    epoch_lease_s: Annotated[float, Field(gt=0)] = 15.0
    """The same where nothing is withdrawn: an instance that is merely busy keeps its transaction."""
    cut_timeout_s: Annotated[float, Field(gt=0)] = 75.0
    """Above the broker's longest transaction (60 s): until then a forgotten one is over."""
    shrink_percent: Annotated[float, Field(ge=0, le=100)] = 10.0
    """A sweep that would remove more of what a consumer holds waits for an operator."""
    batch_records: Annotated[int, Field(ge=1, le=20_000)] = 2_000
    """Canonical records that a copier reads for one transaction."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})


class CredentialSettings(BaseModel):
    """A field ``days`` is read from ``GOVBUS_CREDENTIAL_DAYS``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[int, Field(ge=2, le=3_650)] = DEFAULT_DAYS
    """For how many days a credential is good that is issued from now on; others keep their date."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: CREDENTIAL_PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})
