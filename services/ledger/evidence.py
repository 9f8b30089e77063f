"""Gathers what the proof needs from the topics, in an order that keeps it honest while the bus writes.

A transaction's markers reach its partitions one after another, so what it wrote becomes readable here a
little before there. Hence, in this order:

1. the last stable offset of each topic (``settled``);
2. the ledger, once it is stable up to the end that it had after 1: it counts all that 1 has seen;
3. the last stable offset again (``end``), once it has reached the end that the topic had after 2: it shows
   all that the ledger of 2 counts.

Each step asks for all partitions at once and is over before the next begins, so what holds for one partition
holds for all. So each sum of the ledger lies between the two counts, and where both are the same it is exact;
a few attempts are made to meet such a moment.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.ledger.blocks import Block, block_from
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.decode import Decoder
from services.ledger.proof import Evidence
from services.ledger.reader import Bounds, KafkaUnavailable, TopicReader, in_order, read_whole
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
        layout = self.reader.layout()
        places = [place for topic in layout if topic.startswith(COUNTED) for place in layout[topic]]
        ledger = [place for topic in (LEDGER_INTAKE, LEDGER_DELIVERY) for place in layout.get(topic, [])]
        # Before the ledger: what a version says of an epoch, the ledger holds by then.
        policies = read_policies(self.reader, self.decoder)
        for _ in range(self.attempts):
            settled = {place: bounds.end for place, bounds in self.reader.bounds_of(places).items()}
            blocks = self._blocks(ledger)
            stable = self.stable(places)
            quiet = all(settled[place] == stable[place].end for place in places)
            if quiet:
                break
        return Evidence(
            blocks=blocks,
            partitions=self._counted(settled, stable),
            policies=policies,
            now_ms=now_ms,
            compaction_lag_ms=self.compaction_lag_ms,
            quiet=quiet,
        )

    def _blocks(self, ledger: Sequence[Place]) -> list[Block]:
        """Every decision block, by ledger partition and offset."""
        self.progress("reading the ledger")
        found = []
        for record in in_order(self.reader.read_all(self.stable(ledger))):
            value = self.decoder.value(record)
            if value is not None:
                intake = record.topic == LEDGER_INTAKE
                block = block_from(value, record.coordinates, record.timestamp_ms, intake=intake)
                # The balance asks what was counted, never for single records.
                found.append(replace(block, entries=(), versions=()))
        return found

    def stable(self, places: Sequence[Place]) -> dict[Place, Bounds]:
        """The bounds of each partition, once its last stable offset has reached the end offset of now."""
        highs, deadline = self.reader.highs_of(places), self.clock() + self.deadline_s
        found = self.reader.bounds_of(places)
        while late := [place for place in places if found[place].end < highs[place]]:
            if self.clock() > deadline:
                raise TransactionOpen(
                    f"{late[0]}: a transaction stays open at offset {found[late[0]].end} "
                    f"for more than {self.deadline_s:.0f} s"
                )
            self.wait(_POLL_SECONDS)
            found |= self.reader.bounds_of(late)
        return found

    def _counted(
        self, settled: Mapping[Place, int], stable: Mapping[Place, Bounds]
    ) -> dict[Place, PartitionOffsets]:
        """Which offsets hold a record, and which a tombstone; nothing else of the records is kept."""
        self.progress(f"counting {len(stable)} partitions")
        found = {
            place: PartitionOffsets(place, bounds.low, settled[place], bounds.end)
            for place, bounds in stable.items()
        }
        for record in self.reader.read_all(stable):
            partition = found[Place(record.topic, record.partition)]
            (partition.tombstones if record.value is None else partition.values).append(record.offset)
        return found


def read_policies(reader: TopicReader, decoder: Decoder) -> dict[int, Policy]:
    """Every policy version that was ever issued."""
    found = {}
    for record in read_whole(reader, POLICY):
        value = decoder.value(record)
        if value is not None:
            policy = Policy.model_validate_json(value["document"])
            found[int(policy.version)] = policy
    return found
