"""What an engine of the gate is: it decides a run of records, and gives what it does not decide to a desk.

A fast implementation decides only what it understands to the last byte. Everything else goes, one record at
a time and in its place, to ``Desk.refer``, which is the reference.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from topics.engine.lane_book import LaneBook
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.event import EntityKey, KafkaRecord, OutputRecord, SchemaId, Stopped


@dataclass(frozen=True, slots=True)
class Known:
    """What a stopped change tells of the last accepted state of its key."""

    known: bool
    key: EntityKey | None


NOTHING_KNOWN = Known(False, None)


class Desk(Protocol):
    """Who decides the rare record, and keeps what is remembered of raw keys."""

    def entries(self) -> Sequence[Collection[bytes]]:
        """Raw keys with something remembered, as live collections: a record of such a key is referred."""
        ...

    def refer(self, record: KafkaRecord) -> Sequence[OutputRecord]:
        """Decide by the reference, note the decision, and return what it writes."""
        ...

    def stop(self, record: KafkaRecord, stop: Stopped, last: Known) -> Sequence[OutputRecord]:
        """Note a stop that the engine decided; returns what it writes."""
        ...


@dataclass(slots=True)
class Tally:
    """What the engine decided itself; the desk counts the rest."""

    accepted: int = 0
    tombstones: int = 0


class GateEngine(Protocol):
    """Decides the records of one source."""

    def learn(self, schema_id: SchemaId, writer: AvroType) -> None:
        """Compile a writer schema; records of one that cannot be compiled are referred."""
        ...

    def decide(self, records: Records, desk: Desk, lanes: LaneBook) -> Tally:
        """Decide the records in order and write to the lanes."""
        ...


class ReferenceEngine:
    """Refers every record."""

    def learn(self, schema_id: SchemaId, writer: AvroType) -> None:
        """Nothing is compiled."""

    def decide(self, records: Records, desk: Desk, lanes: LaneBook) -> Tally:
        """See ``GateEngine.decide``."""
        for record in records:
            lanes.extend(desk.refer(record))
        return Tally()
