"""Gathers what the proof needs from the topics, in an order that keeps it honest while the bus writes.

A transaction's markers reach its partitions one after another, so what it wrote becomes readable here a
little before there. Hence, in this order:

1. the last stable offset of each topic (``settled``);
2. the ledger, once it is stable up to the end that it had after 1: it counts all that 1 has seen;
3. the last stable offset again (``end``), once it has reached the end that the topic had after 2: it shows
   all that the ledger of 2 counts.

So each sum of the ledger lies between the two counts, and where both are the same it is exact; a few attempts
are made to meet such a moment.
"""

import time
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.ledger.blocks import Block, block_from
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.decode import Decoder
from services.ledger.proof import Evidence
from services.ledger.reader import KafkaUnavailable, TopicReader
from topics.event import TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE, POLICY
from topics.policy import Policy

COUNTED = ("raw.", "resource.", "quarantine.", "claims.", "sub.")
Progress = Callable[[str], None]
_POLL_SECONDS = 0.05


class TransactionOpen(KafkaUnavailable):
    """A transaction stays open for longer than the deadline: ask again once it has ended or timed out."""


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads the evidence; ``progress`` is told what is being read."""

    reader: TopicReader
    decoder: Decoder
    compaction_lag_ms: int
    attempts: int = 3
    progress: Progress = lambda _: None
    deadline_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep

    def gather(self, now_ms: int) -> Evidence:
        """Read the ledger, then count every topic that it speaks of.

        Raises:
            TransactionOpen: some partition does not become stable within the deadline.
        """
        places = self._places()
        for _ in range(self.attempts):
            settled = {place: self.reader.bounds(place).end for place in places}
            blocks = [*self.blocks(LEDGER_INTAKE), *self.blocks(LEDGER_DELIVERY)]
            end = {place: self._stable_end(place) for place in places}
            if settled == end:
                break
        return Evidence(
            blocks=blocks,
            partitions={place: self._offsets(place, settled[place], end[place]) for place in places},
            policies=read_policies(self.reader, self.decoder),
            now_ms=now_ms,
            compaction_lag_ms=self.compaction_lag_ms,
            quiet=settled == end,
        )

    def blocks(self, topic: TopicName) -> Iterable[Block]:
        """Every decision block of a ledger topic, each partition in order."""
        for place in self.reader.places(topic):
            end = self._stable_end(place)
            self.progress(f"reading {place}")
            for record in self.reader.read(place, self.reader.bounds(place).low, end):
                value = self.decoder.value(record)
                if value is not None:
                    intake = topic == LEDGER_INTAKE
                    yield block_from(value, record.coordinates, record.timestamp_ms, intake=intake)

    def _stable_end(self, place: Place) -> int:
        """The last stable offset, once it has reached the end offset of now."""
        high, deadline = self.reader.high(place), self.clock() + self.deadline_s
        while (end := self.reader.bounds(place).end) < high:
            if self.clock() > deadline:
                raise TransactionOpen(
                    f"{place}: a transaction stays open at offset {end} for more than {self.deadline_s:.0f} s"
                )
            self.wait(_POLL_SECONDS)
        return end

    def _places(self) -> list[Place]:
        topics = [topic for topic in self.reader.topics() if topic.startswith(COUNTED)]
        return [place for topic in topics for place in self.reader.places(topic)]

    def _offsets(self, place: Place, settled: int, end: int) -> PartitionOffsets:
        values, tombstones = array("q"), array("q")
        self.progress(f"counting {place}")
        low = self.reader.bounds(place).low
        for record in self.reader.read(place, low, end):
            (tombstones if record.value is None else values).append(record.offset)
        return PartitionOffsets(place, low, settled, end, values, tombstones)


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
