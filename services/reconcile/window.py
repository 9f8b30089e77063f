"""Which raw records lie behind the cut though they are in Kafka already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from producers.debezium import record_id_of
from schemas.registry import SchemaNotFound
from services.gate.releases import is_release
from services.ledger.counts import Place
from services.ledger.decode import Decoder, Undecodable
from services.reconcile.cut import Visibility
from topics.event import KafkaRecord, RecordId

LOOK_BACK_MS: Final = 30_000
"""So far before the cut raw records are asked whether the snapshot sees them. A record may be in Kafka before
its transaction can be seen, but only as long as its session needs to end a commit that is already written."""


@dataclass(slots=True)
class Behind:
    """Raw places that lie behind the cut.

    Args:
        ends: raw partition → the first offset that was not yet there when the capture had confirmed the cut.
    """

    ends: dict[int, int]
    offsets: set[tuple[int, int]] = field(default_factory=set)
    """Partition and offset of those before the ends."""
    ids: set[RecordId] = field(default_factory=set)
    """The record ids that they are about."""
    snapshot_rows: int = 0
    """How many of them are rows of a snapshot that is under way."""

    def holds(self, partition: int, offset: int) -> bool:
        """Whether the raw record lies behind the cut."""
        return (partition, offset) in self.offsets or offset >= self.ends.get(partition, 0)


def find_behind(
    records: Iterable[KafkaRecord],
    decoder: Decoder,
    visibility: Visibility,
    before: Mapping[Place, int],
    ends: Mapping[Place, int],
    primary_key: tuple[str, ...],
) -> Behind:
    """Ask each raw record around the cut whether the snapshot sees it.

    Args:
        records: the raw records from ``LOOK_BACK_MS`` before the cut to ``ends``.
        decoder: of their schemas.
        visibility: the snapshot.
        before: the end of each raw partition before the snapshot was taken.
        ends: the same once the capture had confirmed it.
        primary_key: of the table.
    """
    behind = Behind({place.partition: end for place, end in ends.items()})
    for record in records:
        later = record.offset >= before.get(Place(record.topic, record.partition), 0)
        _judge(record, decoder, visibility, behind, primary_key, later=later)
    return behind


def _judge(
    record: KafkaRecord,
    decoder: Decoder,
    visibility: Visibility,
    behind: Behind,
    primary_key: tuple[str, ...],
    *,
    later: bool,
) -> None:
    try:
        envelope = decoder.value(record)
    except (Undecodable, SchemaNotFound):
        envelope = None
    if envelope is None:
        return
    operation = envelope.get("op")
    transaction = (envelope.get("source") or {}).get("txId")
    if operation == "r" or is_release(record) or not isinstance(transaction, int):
        # Read or released, not committed: what came after the snapshot may say what is later than it.
        hidden = later
        behind.snapshot_rows += hidden and operation == "r"
    else:
        hidden = not visibility.sees(transaction)
    if hidden:
        behind.offsets.add((record.partition, record.offset))
        row = envelope.get("after") or envelope.get("before") or {}
        behind.ids.add(record_id_of(row, primary_key) or RecordId(""))
