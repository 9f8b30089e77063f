"""Which rows the gate had stopped at the cut: what differs of them waits in quarantine and is not lost."""

from collections.abc import Iterable
from dataclasses import dataclass

from producers.debezium import record_id_of
from schemas.registry import SchemaNotFound
from services.gate.stopped import StoppedEntry, entry_from_record
from services.ledger.decode import Decoder, Undecodable
from services.reconcile.window import Behind
from topics.event import KafkaRecord, RecordId


@dataclass(frozen=True, slots=True)
class StoppedRow:
    """A row whose last change at the cut was stopped, and where that change stands in the raw topic."""

    partition: int
    first: int
    last: int


def stopped_at_cut(
    records: Iterable[KafkaRecord],
    decoder: Decoder,
    behind: Behind,
    primary_key: tuple[str, ...],
    since_ms: int,
) -> dict[RecordId, StoppedRow]:
    """Fold the topic of stopped keys up to the cut: record id → its stopped change.

    Args:
        records: of ``stopped.<…>``, each partition in order.
        decoder: of their schemas.
        behind: what lies behind the cut.
        primary_key: of the table.
        since_ms: what was written before that lies before the cut.
    """
    found: dict[RecordId, StoppedRow] = {}
    for record in records:
        try:
            key = decoder.key(record) or {}
            value = decoder.value(record)
        except (Undecodable, SchemaNotFound):
            continue
        record_id = record_id_of(key, primary_key)
        if record_id is None:
            continue
        if value is None:
            # An entry ends with the next accepted change: with one behind the cut it still stood there.
            if record_id not in behind.ids or record.timestamp_ms < since_ms:
                found.pop(record_id, None)
            continue
        _note(found, record_id, record.partition, entry_from_record(value), behind)
    return found


def _note(
    found: dict[RecordId, StoppedRow],
    record_id: RecordId,
    partition: int,
    entry: StoppedEntry,
    behind: Behind,
) -> None:
    if behind.holds(partition, entry.first_stopped):
        return
    last = entry.last_stopped
    if behind.holds(partition, last):
        last = found[record_id].last if record_id in found else entry.first_stopped
    found[record_id] = StoppedRow(partition, entry.first_stopped, last)
