"""Settings of one processor instance: who it is, how large its batches are, where it answers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.registry import RegistryCredentials
from topics.names import instance_id

PREFIX = "GOVBUS_PROCESSOR_"


class ProcessorSettings(BaseModel):
    """One instance of one group.

    ``batch_records`` and ``batch_bytes`` bound one transaction and with it the time that the event loop is
    busy with one batch. A field ``batch_records`` is read from ``GOVBUS_PROCESSOR_BATCH_RECORDS``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    instance: Annotated[int, Field(ge=0)] = 0
    data_dir: Path
    web_port: Annotated[int, Field(ge=1, le=65535)]
    batch_records: Annotated[int, Field(ge=1, le=6_400)] = 6_000
    batch_bytes: Annotated[int, Field(ge=1_000)] = 8_000_000
    lease_s: Annotated[float, Field(gt=0)] = 10.0
    """How old the last complete turn of the loop may be before the instance counts as not ready."""
    transaction_timeout_ms: Annotated[int, Field(ge=2_000, le=60_000)] = 6_000
    """After this the coordinator aborts what is open; until then whoever takes over has to wait."""
    session_timeout_ms: Annotated[int, Field(ge=6_000)] = 6_000
    """After this the group gives away the partitions of an instance that went silent."""
    compression: Literal["lz4", "zstd", "snappy", "gzip", "none"] = "lz4"
    """How outputs are compressed on the way to the broker and on its disk."""
    idle_sleep_s: Annotated[float, Field(gt=0)] = 0.005

    @property
    def instance_id(self) -> str:
        """Static membership id and transactional id."""
        return instance_id(self.group, self.instance)

    @property
    def patience_s(self) -> float:
        """How long an answer of the coordinator is waited for.

        Less than the transaction's own limit: an instance that asks after that limit is told that it was
        fenced, and would have to stop, where a new producer could have gone on.
        """
        return self.transaction_timeout_ms / 1000 - 1

    @classmethod
    def from_environment(cls, given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings: what is given, over the environment, over the defaults.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        found = {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
        return cls.model_validate(
            {**found, **{name: value for name, value in given.items() if value is not None}}
        )


@dataclass(frozen=True, slots=True)
class Clients:
    """How this process logs in to Kafka and to the schema registry; not shown when printed."""

    kafka: Mapping[str, Any] = field(repr=False)
    """librdkafka settings: servers, protocol, mechanism, user, password."""
    registry: RegistryCredentials
