"""Settings of the control process: where it answers, and how often each loop looks; from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

PREFIX: Final = "GOVBUS_CONTROL_"
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ControlSettings(BaseModel):
    """One control process. A field ``acts_s`` is read from ``GOVBUS_CONTROL_ACTS_S``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=1, le=65_535)] = 28091
    acts_s: Seconds = 1.0
    """How often acts are looked for that the ledger is owed."""
    cases_s: Seconds = 60.0
    """How often cases and tickets are looked at for what time has made due."""
    retirements_s: Seconds = 60.0
    """How often announced ends of versions are looked at for what time has made due."""
    provisioning_s: Seconds = 1.0
    """How often decided cases are looked for that are to be carried out on the bus."""
    disputes_s: Seconds = 2.0
    """How often marks of disputed records are looked for that are to be sent."""
    rulings_s: Seconds = 1.0
    """How often rulings on items are looked for that are to be carried out on the bus."""
    tickets_s: Seconds = 60.0
    """How often open tickets are held against what came through capture."""
    courier_s: Seconds = 5.0
    """How often letters and webhooks are looked for that are due."""
    grants_s: Seconds = 30.0
    """How often suspensions, ends of rights, late readers and silent resources are looked for."""
    credentials_s: Seconds = 60.0
    """How often the credentials of departments are looked at: who is told, what is over."""
    collector_s: Seconds = 15.0
    """How often the running bus is looked at for the snapshots."""
    evidence_s: Seconds = 5.0
    """How often the ledger is looked at for what no checkpoint covers."""
    drift_s: Seconds = 300.0
    """How often the bus's real rights are held against the cases, and repaired."""
    recovery_s: Seconds = 10.0
    """How often captures are looked at whose replication slot was lost."""
    retention_s: Seconds = 300.0
    """How often the retention of evidence is held against the floor, and raised."""
    census_s: Seconds = 86_400.0
    """How often the records of all resources are counted, which reads their topics."""
    catalogue_s: Seconds = 300.0
    """How often the catalogue is held against what is mounted."""
    trace_s: Seconds = 5.0
    """How often topics are looked at for what the index of the person trace has not."""
    acquired_s: Seconds = 300.0
    """How often the ledger is told up to where departments have committed."""
    receipts_s: Seconds = 2.0
    """How often orders for receipts are looked for."""
    forgetting_s: Seconds = 3_600.0
    """How often is removed what nobody needs any more: old sessions, notices, receipts, topics of replays."""
    definitions: Path | None = None
    """The folder in which resources are declared; the sample city's where it is not given."""
    ending_s: Seconds = 30.0
    """How long turns that are under way may take once the process shall end."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings from environment variables over the defaults.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate(
            {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
        )
