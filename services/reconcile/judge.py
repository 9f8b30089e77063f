"""A source row as the gate would take it: the gate's own functions map, identify and cut it."""

from dataclasses import dataclass

from services.gate.line import assess, identify, one_source
from services.gate.plan import SourcePlan
from topics.event import Change, KafkaRecord, Operation, Record, RecordId, SourcePosition, Stopped

_POSITION = SourcePosition(0, 0, 0, 0)


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
