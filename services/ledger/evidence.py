"""Gathers what the proof needs from the topics, in an order that keeps it honest while the bus writes.

End offsets are taken before the ledger is read (``settled``) and after it (``end``). What the ledger counts
was committed together with the outputs that it counts, so the ledger's sum lies between the two. Where both
are the same, nothing was written meanwhile and the comparison is exact; a few attempts are made to meet such
a moment.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.ledger.blocks import Block, block_from
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.decode import Decoder
from services.ledger.proof import Evidence
from services.ledger.reader import Bounds, TopicReader
from topics.event import TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE, POLICY
from topics.policy import Policy

COUNTED = ("raw.", "resource.", "quarantine.", "claims.", "sub.")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads the evidence; ``progress`` is told what is being read."""

    reader: TopicReader
    decoder: Decoder
    compaction_lag_ms: int
    attempts: int = 3
    progress: Progress = lambda _: None

    def gather(self, now_ms: int) -> Evidence:
        """Read the ledger, then count every topic that it speaks of."""
        places = self._places()
        for _ in range(self.attempts):
            before = self._ends(places)
            delivery = list(self.blocks(LEDGER_DELIVERY))
            intake = list(self.blocks(LEDGER_INTAKE))
            after = self._ends(places)
            if before == after:
                break
        return Evidence(
            blocks=[*intake, *delivery],
            partitions={place: self._offsets(place, before[place], after[place]) for place in places},
            policies=read_policies(self.reader, self.decoder),
            now_ms=now_ms,
            compaction_lag_ms=self.compaction_lag_ms,
            quiet=before == after,
        )

    def blocks(self, topic: TopicName) -> Iterable[Block]:
        """Every decision block of a ledger topic, each partition in order."""
        for place in self.reader.places(topic):
            bounds = self.reader.bounds(place)
            self.progress(f"reading {place}")
            for record in self.reader.read(place, bounds.low, bounds.end):
                value = self.decoder.value(record)
                if value is not None:
                    intake = topic == LEDGER_INTAKE
                    yield block_from(value, record.coordinates, record.timestamp_ms, intake=intake)

    def _places(self) -> list[Place]:
        topics = [topic for topic in self.reader.topics() if topic.startswith(COUNTED)]
        return [place for topic in topics for place in self.reader.places(topic)]

    def _ends(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        return {place: self.reader.bounds(place) for place in places}

    def _offsets(self, place: Place, before: Bounds, after: Bounds) -> PartitionOffsets:
        values, tombstones = array("q"), array("q")
        self.progress(f"counting {place}")
        for record in self.reader.read(place, after.low, after.end):
            (tombstones if record.value is None else values).append(record.offset)
        return PartitionOffsets(place, after.low, before.end, after.end, values, tombstones)


def read_policies(reader: TopicReader, decoder: Decoder) -> dict[int, Policy]:
    """Every policy version that was ever issued."""
    found = {}
    for place in reader.places(POLICY):
        bounds = reader.bounds(place)
        for record in reader.read(place, bounds.low, bounds.end):
            value = decoder.value(record)
            if value is not None:
                policy = Policy.model_validate_json(value["document"])
                found[int(policy.version)] = policy
    return found
