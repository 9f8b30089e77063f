"""Follows raw and canonical topic through an epoch: keys that came, what stands, what was stopped."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import fastavro

from producers.debezium import record_id_of
from services.control.epochs.bus import EpochBus
from services.control.epochs.filters import Filter
from services.control.epochs.volume import Holding, Origin, Verdict, judged, short, whole_digest
from services.control.framing import decode
from topics import names
from topics.canonical import CANONICAL_KEY_SCHEMA
from topics.event import KafkaRecord, RecordId
from topics.wire import split
from topics.withdrawal import is_announcement, is_withdrawal

_ENVELOPE: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "BeginOfCanonical",
        "fields": [
            {"name": "operation", "type": "string"},
            {"name": "generation", "type": "long"},
            {"name": "incarnation", "type": "long"},
            {"name": "commit", "type": "long"},
            {"name": "ordinal", "type": "long"},
            {"name": "source_time", "type": "long"},
            {"name": "raw_topic", "type": "string"},
            {"name": "raw_partition", "type": "int"},
            {"name": "raw_offset", "type": "long"},
        ],
    }
)
"""The fields with which every canonical value begins (topics/canonical.py): the rest is not read."""
_KEY: Final = fastavro.parse_schema(CANONICAL_KEY_SCHEMA)
_GONE: Final = "delete"


@dataclass(slots=True)
class RawScan:
    """The keys that came since the epoch began, and the withdrawals that were announced."""

    bus: EpochBus
    begins: dict[int, int]
    seen: set[bytes] = field(default_factory=set)
    announced: dict[bytes, int] = field(default_factory=dict)
    """Raw key → offset of its newest announcement."""
    last: dict[int, int] = field(default_factory=dict)
    """Raw partition → offset of the last record that was read."""
    _next: dict[int, int] = field(default_factory=dict)

    def advance(self) -> None:
        """Read on to the stable end."""
        ends = self.bus.ends(self.bus.raw)
        starts = {partition: self._next.get(partition, self.begins.get(partition, 0)) for partition in ends}
        for record in self.bus.read(self.bus.raw, starts, ends):
            self.last[record.partition] = record.offset
            self._take(record)
        self._next = {partition: max(end, starts[partition]) for partition, end in ends.items()}

    @property
    def came(self) -> int:
        """How many offsets the topic grew by: about as many records."""
        return sum(at - self.begins.get(partition, 0) for partition, at in self._next.items())

    def has_seen(self, key: bytes) -> bool:
        """Whether a record of this raw key came since the epoch began."""
        return short(key) in self.seen

    def decided(self) -> bool:
        """Whether the gate has decided everything that was read."""
        committed = self.bus.committed()
        return all(committed.get(partition, 0) > offset for partition, offset in self.last.items())

    def _take(self, record: KafkaRecord) -> None:
        key = short(record.key or b"")
        if not is_withdrawal(record):
            self.seen.add(key)
        elif is_announcement(record):
            self.announced[key] = record.offset


@dataclass(slots=True)
class CanonicalScan:
    """What stands of the source, followed to the stable end of the canonical topic."""

    bus: EpochBus
    begins: dict[int, int]
    holdings: dict[int, Holding] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)

    def advance(self) -> None:
        """Read on to the stable end."""
        topic = self.bus.resource.canonical_topic
        ends, starts = self.bus.ends(topic), self.ends
        for partition in ends:
            self.holdings.setdefault(partition, Holding(self.begins))
        for record in self.bus.read(topic, starts, ends):
            self._take(record)
        self.ends = ends

    @property
    def records(self) -> int:
        """How many keys stand."""
        return sum(len(holding) for holding in self.holdings.values())

    @property
    def digest(self) -> str:
        """The digest of all that stands."""
        return whole_digest(self.holdings.values())

    def position_of(self, partition: int) -> tuple[int, int]:
        """The newest incarnation and commit position that came of a raw partition."""
        known = [
            holding.newest[partition] for holding in self.holdings.values() if partition in holding.newest
        ]
        return max(known, default=(0, 0))

    def judged(self, scan: RawScan, where: Filter | None) -> Verdict:
        """What the sweep would do now."""
        stopped = self._stopped(scan)
        covers = where.covers if where is not None else None
        return judged(self.holdings.values(), lambda record: record in stopped, covers)

    def _take(self, record: KafkaRecord) -> None:
        holding, key = self.holdings[record.partition], record.key or b""
        if record.value is None:
            holding.gone(key)
            return
        envelope: Any = fastavro.schemaless_reader(BytesIO(record.value[5:]), _ENVELOPE, None)
        if envelope["raw_topic"] != self.bus.raw:
            return
        if envelope["operation"] == _GONE:
            holding.gone(key)
            return
        origin = Origin(
            envelope["raw_partition"], envelope["raw_offset"], envelope["incarnation"], envelope["commit"]
        )
        holding.stands(key, record_of(key), origin, record.value)

    def _stopped(self, scan: RawScan) -> frozenset[RecordId]:
        """Rows whose last word in this epoch was a stopped change: they are there, and not to be swept."""
        topic = names.stopped_keys(self.bus.raw)
        entries: dict[bytes, bytes] = {}
        for record in self.bus.read(topic, {}, self.bus.ends(topic)):
            entries.pop(record.key or b"", None)
            if record.value is not None:
                entries[record.key or b""] = record.value
        found: set[RecordId] = set()
        for key, value in entries.items():
            first = decode("StoppedKey", value)["first_stopped"]
            if short(key) in scan.seen and first != scan.announced.get(short(key)):
                row = record_id_of(self.bus.key_values(key), self.bus.source.primary_key)
                found.update(() if row is None else (row,))
        return frozenset(found)


def record_of(key: bytes) -> RecordId:
    """The record id in a framed canonical key."""
    _, avro = split(key)
    found: Any = fastavro.schemaless_reader(BytesIO(avro), _KEY, None)
    return RecordId(found["record_id"])
