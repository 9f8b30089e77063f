"""Which offsets a read_committed reader saw in one partition, kept so that any range can be counted."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from topics.event import TopicName


class Place(NamedTuple):
    """A topic and partition."""

    topic: TopicName
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}"


class Counted(NamedTuple):
    """Records in a range of offsets."""

    values: int
    tombstones: int

    @property
    def total(self) -> int:
        """All records of the range."""
        return self.values + self.tombstones


def _offsets() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class PartitionOffsets:
    """One partition as it was read: 8 bytes for each record.

    ``settled`` is the end offset from before the ledger was read and ``end`` the one from after it: what lies
    between may or may not be in the ledger yet, so it bounds a comparison from both sides.
    """

    place: Place
    low: int
    settled: int
    end: int
    values: "array[int]" = field(default_factory=_offsets)
    tombstones: "array[int]" = field(default_factory=_offsets)

    def count(self, start: int, stop: int) -> Counted:
        """Count the records with ``start <= offset < stop``."""
        return Counted(_between(self.values, start, stop), _between(self.tombstones, start, stop))


def partition_offsets(
    place: Place, bounds: tuple[int, int, int], values: Iterable[int], tombstones: Iterable[int] = ()
) -> PartitionOffsets:
    """Build one from ascending offsets; ``bounds`` are low, settled and end."""
    low, settled, end = bounds
    return PartitionOffsets(place, low, settled, end, array("q", values), array("q", tombstones))


def _between(offsets: "array[int]", start: int, stop: int) -> int:
    return max(0, bisect_left(offsets, stop) - bisect_left(offsets, start))
