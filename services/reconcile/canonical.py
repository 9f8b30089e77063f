"""Reads a canonical topic up to the cut: what it says of every key, and how long its changes took."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.reconcile.rows import key_digest
from services.reconcile.spill import NOTHING, Spill, State
from services.reconcile.values import CanonicalValues, Unreadable, split_key
from services.reconcile.window import Behind
from topics.event import KafkaRecord, TopicName

_TOLD_EVERY: Final = 20_000


@dataclass(slots=True)
class Delays:
    """How long changes took from the source to the canonical topic, by powers of two of milliseconds."""

    counts: Counter[int] = field(default_factory=Counter)
    longest_ms: int = 0
    newest_ms: int = 0
    """When the newest change happened at the source."""
    late: int = 0
    """How many took longer than the update cycle allows."""

    def add(self, source_ms: int, written_ms: int, allowed_ms: float) -> None:
        """Count one change."""
        delay = max(0, written_ms - source_ms)
        self.counts[delay.bit_length()] += 1
        self.longest_ms = max(self.longest_ms, delay)
        self.newest_ms = max(self.newest_ms, source_ms)
        self.late += delay > allowed_ms

    @property
    def changes(self) -> int:
        """How many were counted."""
        return self.counts.total()

    def at_most_ms(self, share: float) -> int | None:
        """Within how many milliseconds that share of the changes came, rounded up to a power of two."""
        left = self.changes * share
        for bits in sorted(self.counts):
            left -= self.counts[bits]
            if left <= 0:
                return min(1 << bits, self.longest_ms)
        return None


class CanonicalReader:
    """Takes canonical records, each partition in order, into a spill."""

    def __init__(
        self, values: CanonicalValues, raw_topic: TopicName, behind: Behind, allowed_ms: float
    ) -> None:
        self.values = values
        self._raw_topic, self._behind, self._allowed_ms = raw_topic, behind, allowed_ms
        self._passed: dict[int, bytes | None] = {}
        self.delays = Delays()

    def read(
        self, records: Iterable[KafkaRecord], spill: Spill, progress: Callable[[int], None] = lambda _: None
    ) -> int:
        """Take all records; how many there were."""
        count = 0
        for count, record in enumerate(records, 1):
            self._take(record, spill)
            if count % _TOLD_EVERY == 0:
                progress(count)
        spill.flush()
        return count

    def _take(self, record: KafkaRecord, spill: Spill) -> None:
        framed = record.key or b""
        if record.value is None:
            # After the last record of a key comes its tombstone: if that lies behind the cut, so does this.
            if self._passed.get(record.partition) != framed:
                self._gone(framed, record, spill)
            return
        try:
            origin, state = self.values.opened(record.value, record.coordinates)
        except Unreadable:
            _add(spill, framed, None, State.UNFIT, record)
            return
        if origin.raw_topic == self._raw_topic and self._behind.holds(
            origin.raw_partition, origin.raw_offset
        ):
            self._passed[record.partition] = framed
            return
        self._passed[record.partition] = None
        self.delays.add(origin.source_time, record.timestamp_ms, self._allowed_ms)
        if origin.operation == "delete" or state is None:
            self._gone(framed, record, spill)
            return
        digest = self.values.digest(framed, state)
        _add(spill, framed, digest, State.UNFIT if digest is None else State.ROW, record)

    @staticmethod
    def _gone(framed: bytes, record: KafkaRecord, spill: Spill) -> None:
        _add(spill, framed, None, State.GONE, record)


def _add(spill: Spill, framed: bytes, digest: bytes | None, state: State, record: KafkaRecord) -> None:
    _, record_id = split_key(framed)
    spill.add(record_id, digest or NOTHING, key_digest(framed), state, record.partition, record.offset)
