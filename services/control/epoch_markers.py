"""The markers of a grant's epochs: beside its records, never among them, and read back after a crash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.control.access import Access
from services.control.framing import decode, encode
from services.control.reading import read_whole, whole_reader
from topics import names
from topics.event import GrantId, OutputRecord, ResourceId, SchemaId

GUARDED = "guarded"
"""Count in a BEGIN marker: 0 where the filter was changed on purpose, so that many records may go."""


class MarkerKind(StrEnum):
    """What happened (schemas/avro/control/EpochMarker.avsc)."""

    BEGIN = "BEGIN"
    COPIED = "COPIED"
    SWEPT = "SWEPT"
    END = "END"
    WAITING = "WAITING"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of one epoch."""

    grant: GrantId | ResourceId
    generation: int
    kind: MarkerKind
    policy_version: int
    timestamp_ms: int
    offsets: Mapping[tuple[str, int], int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""
    detail: str = ""

    def output(self, schema_id: SchemaId) -> OutputRecord:
        """The record for the grant's epochs topic."""
        record = {
            "subject": self.grant,
            "generation": self.generation,
            "kind": self.kind.value,
            "policy_version": self.policy_version,
            "timestamp_ms": self.timestamp_ms,
            "offsets": [
                {"topic": topic, "partition": partition, "offset": offset}
                for (topic, partition), offset in sorted(self.offsets.items())
            ],
            "counts": dict(self.counts),
            "digest": self.digest,
            "detail": self.detail,
        }
        key = f"{self.grant}.{self.generation}".encode()
        return OutputRecord(names.epochs(self.grant), 0, key, encode("EpochMarker", schema_id, record))


def read_markers(access: Access, grant: GrantId | ResourceId, end: int) -> list[dict[str, Any]]:
    """The markers of a grant or a resource below offset ``end``, oldest first."""
    reader = whole_reader(access.kafka_config("copier"), "copier.markers")
    try:
        batches = list(read_whole(reader, names.epochs(grant), {0: end}, 500))
    finally:
        reader.close()
    return [decode("EpochMarker", record.value or b"") for batch in batches for record in batch]


def still_unguarded(markers: list[dict[str, Any]]) -> bool:
    """Whether an unended epoch was begun for a changed filter: its successor finishes that change."""
    for marker in reversed(markers):
        if marker["kind"] == MarkerKind.END.value:
            return False
        if marker["kind"] == MarkerKind.BEGIN.value and marker["counts"].get(GUARDED) == 0:
            return True
    return False
