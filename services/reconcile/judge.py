"""Source rows as the gate would take them: its engine decides them, its own functions what that leaves."""

import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from producers.columns import Column
from producers.debezium import record_id_of
from services.gate.engine import GateEngines
from services.gate.line import assess, identify, one_source
from services.gate.plan import GatePlan, SourcePlan
from services.reconcile.row_bytes import ROW_SCHEMA, RowBytes
from services.reconcile.rows import RowForm, key_bytes
from services.reconcile.values import CanonicalValues, split_key
from topics.engine import schema as avro
from topics.engine.choose import Implementation
from topics.engine.gate_engine import Known
from topics.engine.records import PartitionRecords
from topics.event import (
    Change,
    KafkaRecord,
    Operation,
    OutputRecord,
    Record,
    RecordId,
    SourcePosition,
    Stopped,
)

_POSITION: Final = SourcePosition(0, 0, 0, 0)
_NO_ROW: Final = (KeyError, AttributeError, TypeError, ValueError, struct.error)


@dataclass(frozen=True, slots=True)
class Taken:
    """A row's canonical identity and items."""

    identity: str
    items: Record


def moment(source: SourcePlan, at_ms: int) -> KafkaRecord:
    """The record that a row would travel in at a time: rules ask it for nothing but that time."""
    return KafkaRecord(source.resource.raw_topic, 0, 0, at_ms, None, None)


def take(row: Record, record_id: RecordId, source: SourcePlan, at: KafkaRecord) -> Taken | Stopped:
    """Map a row of the source, in the values that travel, to what its canonical record would hold."""
    change = Change(Operation.READ, record_id, None, row, _POSITION, at.timestamp_ms)
    identified = identify(change, source, at)
    if isinstance(identified, Stopped):
        return identified
    owned = one_source(identified, source)
    return owned if isinstance(owned, Stopped) else Taken(owned.key.identity, owned.items)


def stopped_by(row: Record, record_id: RecordId, source: SourcePlan, at: KafkaRecord) -> Stopped | None:
    """Why the gate would stop the row today; None where it would accept it."""
    change = Change(Operation.READ, record_id, None, row, _POSITION, at.timestamp_ms)
    identified = identify(change, source, at)
    if isinstance(identified, Stopped):
        return identified
    owned = one_source(identified, source)
    if isinstance(owned, Stopped):
        return owned
    verdict = assess(owned, source, at)
    return verdict if isinstance(verdict, Stopped) else None


class Judged(NamedTuple):
    """A row's id, and the digest of what the gate would make of it.

    ``digest`` is None where the gate would stop the row before it judges its quality.
    """

    record_id: bytes
    digest: bytes | None


class RowJudge:
    """Judges the rows of one table, many at once.

    Their quality is not asked for: a row that only its quality stops is what the source has all the same.
    """

    def __init__(
        self,
        plan: GatePlan,
        source: SourcePlan,
        columns: Sequence[Column],
        values: CanonicalValues,
        form: RowForm,
        at: KafkaRecord,
        implementation: Implementation,
    ) -> None:
        """Compile the gate's engine for the table.

        Args:
            plan: the policy version as the gate compiles it.
            source: the table in it.
            columns: those that rows are read with.
            values: opens what the engine writes.
            form: how rows are compared.
            at: the record that every row travels in (see ``moment``).
            implementation: of the engine.
        """
        self._source, self._values, self._form, self._at = source, values, form, at
        self._bytes = RowBytes(columns)
        self._types = {ROW_SCHEMA: avro.parse(self._bytes.schema)}
        self._engines = GateEngines(implementation)
        # The other tables of the policy need no engine here.
        self._engines.adopt(GatePlan(plan.policy_version, {source.resource.raw_topic: source}, plan.control))

    def judged(self, rows: Sequence[Record]) -> Iterator[Judged]:
        """Each of the rows once, in any order."""
        desk, book = _Desk(), self._engines.lane_book()
        encoded = [record for number, row in enumerate(rows) if (record := self._record(number, row, desk))]
        if encoded:
            records = PartitionRecords(self._at.topic, 0, encoded)
            self._engines.engine_for(records, self._types).decide(records, desk, book)
        for lane in book.lanes():
            if lane.topic == self._source.resource.canonical_topic:
                yield from map(self._accepted, lane)
        for number in desk.left:
            yield self._slowly(rows[number])

    def _record(self, number: int, row: Record, desk: "_Desk") -> KafkaRecord | None:
        try:
            value = self._bytes.encode(row)
        except _NO_ROW:
            desk.left.append(number)
            return None
        return KafkaRecord(self._at.topic, 0, number, self._at.timestamp_ms, None, value)

    def _accepted(self, output: OutputRecord) -> Judged:
        key = output.key or b""
        _, state = self._values.opened(output.value or b"", output.topic)
        return Judged(split_key(key)[1], None if state is None else self._values.digest(key, state))

    def _slowly(self, row: Record) -> Judged:
        record_id = record_id_of(row, self._source.primary_key) or RecordId("")
        taken = take(row, record_id, self._source, self._at)
        if isinstance(taken, Stopped):
            return Judged(record_id.encode(), None)
        key = key_bytes(taken.identity.encode(), record_id.encode())
        return Judged(record_id.encode(), self._form.digest(key, taken.items))


@dataclass(slots=True)
class _Desk:
    """Keeps the numbers of the rows that the engine leaves, or stops: each is judged by itself."""

    left: list[int] = field(default_factory=list)

    def entries(self) -> Sequence[Collection[bytes]]:
        return ()

    def refer(self, record: KafkaRecord) -> Sequence[OutputRecord]:
        self.left.append(record.offset)
        return ()

    def stop(self, record: KafkaRecord, _stop: Stopped, _last: Known) -> Sequence[OutputRecord]:
        self.left.append(record.offset)
        return ()
