"""Finds records and decision blocks: what stands at a coordinate, which block decided it, what it led to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.registry import SchemaNotFound
from services.ledger.blocks import Block, Chain, block_from
from services.ledger.coordinates import Coordinate
from services.ledger.counts import Place
from services.ledger.decode import Decoder, SchemaSource
from services.ledger.evidence import read_policies
from services.ledger.reader import Bounds, TopicMissing, TopicReader
from topics.engine.reference import ReferenceCodec, Undecodable, usable_codec
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE
from topics.policy import Policy
from topics.wire import NotFramed, split

SKEW_MS = 60_000
"""How far two clocks of the bus may lie apart; searches by time begin that much earlier."""


class RecordMissing(Exception):  # noqa: N818 - the caller names another coordinate
    """No committed record stands at the coordinate."""


@dataclass(slots=True)
class Lookup:
    """Questions about single records, answered from the topics."""

    reader: TopicReader
    schemas: SchemaSource
    dispute_keys: Callable[[int], bytes] | None = None
    """The key of disputes of a version of the master secret, for who may have it; see ``keys_from``."""
    decoder: Decoder = field(init=False)
    _policies: dict[int, Policy] | None = None

    def __post_init__(self) -> None:
        self.decoder = Decoder(self.schemas)

    def fresh(self) -> "Lookup":
        """The same questions without what was remembered of policies."""
        return Lookup(self.reader, self.schemas, self.dispute_keys)

    @property
    def policies(self) -> Mapping[int, Policy]:
        """Every policy version, read once."""
        if self._policies is None:
            self._policies = read_policies(self.reader, self.decoder)
        return self._policies

    def record(self, at: Coordinate) -> KafkaRecord:
        """The record at that coordinate.

        Raises:
            TopicMissing: there is no such topic or partition.
            RecordMissing: there is none: a transaction's marker, removed by now, or not yet written.
        """
        if at.place not in self.reader.places(at.topic):
            raise TopicMissing(f"there is no {at.place}")
        bounds = self.reader.bounds(at.place)
        start = max(at.offset, bounds.low)
        for record in self.reader.read(at.place, start, min(at.offset + 1, bounds.end)):
            if record.offset == at.offset:
                return record
        raise RecordMissing(
            f"{at}: no committed record stands there (a transaction's marker, removed by retention or "
            "compaction, or not written yet)"
        )

    def codecs(self, record: KafkaRecord) -> dict[SchemaId, ReferenceCodec]:
        """The codecs of key and value; the one is missing of which the registry has no usable schema."""
        found = {}
        for framed in (record.key, record.value):
            try:
                schema_id = split(framed or b"")[0]
                schema = self.schemas.schema(schema_id)
            except (NotFramed, SchemaNotFound):
                continue
            codec = usable_codec(dict(schema))
            if codec is not None:
                found[schema_id] = codec
        return found

    def intake_block(self, raw: KafkaRecord) -> Block | None:
        """The gate's block that decided the raw record, None while it waits."""
        return self._block(LEDGER_INTAKE, raw, lambda _: True)

    def live_block(self, canonical: KafkaRecord, group: str) -> Block | None:
        """The block of that fan-out group that decided the canonical record, None while it waits."""
        chain = Chain(group, canonical.topic, canonical.partition)
        return self._block(LEDGER_DELIVERY, canonical, lambda block: block.chain == chain)

    def since(self, place: Place, timestamp_ms: int) -> Iterator[KafkaRecord]:
        """The records of a partition that can have been written at or after that time."""
        yield from self.since_all([place], timestamp_ms)

    def since_all(self, places: Sequence[Place], timestamp_ms: int) -> Iterator[KafkaRecord]:
        """The same of several partitions: each in order, partitions as they come."""
        starts = self.reader.offsets_at(places, timestamp_ms - SKEW_MS)
        ends = self.reader.bounds_of(places)
        yield from self.reader.read_all({place: Bounds(starts[place], ends[place].end) for place in places})

    def canonical_of(self, raw: KafkaRecord, block: Block) -> list[KafkaRecord]:
        """The canonical records, tombstones aside, that the raw record led to and that still stand."""
        found = []
        for output in block.outputs:
            if output.topic.startswith("resource."):
                found += self._led_to(Place(output.topic, output.partition), raw, block.written_ms + SKEW_MS)
        return found

    def _led_to(self, place: Place, raw: KafkaRecord, until_ms: int) -> list[KafkaRecord]:
        found = []
        for record in self.since(place, raw.timestamp_ms):
            if record.timestamp_ms > until_ms:
                break
            value = self.value(record)
            names = ("raw_topic", "raw_partition", "raw_offset")
            if value and tuple(value[name] for name in names) == (raw.topic, raw.partition, raw.offset):
                found.append(record)
        return found

    def value(self, record: KafkaRecord) -> dict[str, object] | None:
        """The decoded value, or None where there is none or it cannot be decoded."""
        try:
            return self.decoder.value(record)
        except (Undecodable, SchemaNotFound):
            return None

    def _block(self, ledger: TopicName, record: KafkaRecord, wanted: Callable[[Block], bool]) -> Block | None:
        place = (record.topic, record.partition)
        for written in self.since_all(self.reader.places(ledger), record.timestamp_ms):
            value = self.decoder.value(written)
            if value is None or (value["topic"], value["partition"]) != place:
                continue
            intake = ledger == LEDGER_INTAKE
            block = block_from(value, written.coordinates, written.timestamp_ms, intake=intake)
            if wanted(block) and block.covers(record.offset):
                return block
        return None


def written_at(reader: TopicReader, place: Place, offset: int) -> int | None:
    """The time of the record that stands there; None where none does."""
    if place not in reader.places(place.topic):
        return None
    bounds = reader.bounds(place)
    if not bounds.low <= offset < bounds.end:
        return None
    found = next(iter(reader.read(place, offset, offset + 1)), None)
    return None if found is None else found.timestamp_ms
