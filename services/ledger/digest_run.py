"""Reads ledger and topics in an order that keeps the comparison of digests honest while the bus writes.

As the balance does (``services/ledger/evidence.py``): the ends of the topics, then the ledger, then the ends
again. What lies before the first end must be in the ledger; what the ledger names lies before the second.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.ledger.blocks import Chain
from services.ledger.counts import Place
from services.ledger.decode import Undecodable
from services.ledger.digests import DigestCheck, DigestDifference
from services.ledger.evidence import Gatherer
from services.ledger.reader import Bounds
from topics.event import KafkaRecord, TopicName
from topics.names import GATE_GROUP, LEDGER_DELIVERY, LEDGER_INTAKE

_COMPARED: Final = ("resource.", "quarantine.", "claims.", "sub.")
_NOWHERE: Final = Chain("", TopicName(""), -1)


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What was compared and what differs.

    Args:
        compared: records that are, byte for byte, what the ledger says.
        partitions: how many partitions were read whole.
        skipped: partitions of which the beginning is no longer kept, so that nothing can be compared.
        differences: by partition.
    """

    compared: int
    partitions: int
    skipped: tuple[Place, ...]
    differences: tuple[DigestDifference, ...]


@dataclass(slots=True)
class DigestRun:
    """Compares the topics with the ledger; ``progress`` is told what is being read."""

    gatherer: Gatherer
    now_ms: int
    progress: Callable[[str], None] = lambda _: None
    _deleted: dict[tuple[Place, bytes], Chain] = field(default_factory=dict)
    """Who wrote the last record of a key that is deleted: its tombstone, which says nothing, follows."""

    def run(self) -> DigestAnswer:
        """Read and compare everything that is kept whole.

        Raises:
            TransactionOpen: some partition does not become stable within the deadline.
        """
        reader, check = self.gatherer.reader, DigestCheck()
        layout = reader.layout()
        places = [place for topic in layout if topic.startswith(_COMPARED) for place in layout[topic]]
        settled = {place: bounds.end for place, bounds in reader.bounds_of(places).items()}
        self._blocks(check)
        stable = self.gatherer.stable(places)
        whole = self._whole(stable)
        self.progress(f"comparing {len(whole)} partitions")
        for record in reader.read_all(whole):
            place = Place(record.topic, record.partition)
            if record.topic.startswith("quarantine.") and record.value is None:
                continue  # somebody's disposition of a stopped event, no block's
            check.record(record, self._chain(record), settled=record.offset < settled[place])
        skipped = tuple(
            sorted(place for place, bounds in stable.items() if bounds.end and place not in whole)
        )
        known = set(places).difference(skipped)
        found = tuple(one for one in check.finish() if one.place in known)
        return DigestAnswer(check.compared, len(whole), skipped, found)

    def _blocks(self, check: DigestCheck) -> None:
        self.progress("reading the ledger")
        reader, decoder = self.gatherer.reader, self.gatherer.decoder
        layout = reader.layout()
        ledger = [place for topic in (LEDGER_INTAKE, LEDGER_DELIVERY) for place in layout.get(topic, [])]
        for record in reader.read_all(self.gatherer.stable(ledger)):
            value = decoder.value(record)
            if value is not None:
                check.block(value, record.coordinates)

    def _whole(self, stable: Mapping[Place, Bounds]) -> dict[Place, Bounds]:
        """Those that still hold their first record, and that no compaction can have thinned."""
        begun = {place for place, bounds in stable.items() if bounds.low == 0 and bounds.end > 0}
        oldest = self.now_ms - self.gatherer.compaction_lag_ms
        young = self.gatherer.reader.offsets_at(_compacted(begun), oldest)
        return {place: stable[place] for place in begun if young.get(place, 0) == 0}

    def _chain(self, record: KafkaRecord) -> Chain | None:
        """Who wrote it, as far as the record says so; grants' partitions have one writer at a time."""
        if record.topic.startswith("sub."):
            return None
        place, key = Place(record.topic, record.partition), record.key or b""
        try:
            value = self.gatherer.decoder.value(record)
        except Undecodable:
            return _NOWHERE
        if value is None:
            return self._deleted.pop((place, key), _NOWHERE)
        if not record.topic.startswith("resource."):
            return Chain(GATE_GROUP, TopicName(value["topic"]), value["partition"])
        chain = Chain(GATE_GROUP, TopicName(value["raw_topic"]), value["raw_partition"])
        if value["operation"] == "delete":
            self._deleted[place, key] = chain
        return chain


def _compacted(places: Iterable[Place]) -> list[Place]:
    return [place for place in places if place.topic.startswith(("resource.", "sub."))]
