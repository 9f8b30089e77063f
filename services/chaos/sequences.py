"""What stands under each key, in order, in 16 bytes a record; and how two such books differ. Pure."""

import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from services.chaos.oracle import Form

_OFFSET_BITS: Final = 44
_FORM_BITS: Final = 2
_SAMPLES: Final = 5


class What(StrEnum):
    """What a checker may find."""

    LOST = "lost"
    TWICE = "twice"
    REORDERED = "reordered"
    ALTERED = "altered"
    """A record of the right origin that says something else."""
    NOT_OWED = "not_owed"
    """A record that nothing called for: beyond a grant's rows, or of nobody's making."""
    TOMBSTONE_MISSING = "tombstone_missing"
    STREAM_BROKEN = "stream_broken"
    """The raw topic does not hold each event of the stream once: nothing can be concluded."""
    CHAIN_BROKEN = "chain_broken"
    """Decision blocks do not follow one another without a gap to the end of their input."""
    COUNT_WRONG = "count_wrong"
    DIGEST_WRONG = "digest_wrong"
    NOT_IN_LEDGER = "not_in_ledger"
    """A record that no decision block accounts for."""
    NOT_DELIVERED = "not_delivered"
    """A decision block accounts for records that are not there."""


class Item(NamedTuple):
    """One record: the change it comes from and its form in one number, its content as a hash."""

    origin: int
    content: int

    @property
    def form(self) -> Form:
        """Which of the change's records it is."""
        return Form(self.origin & (1 << _FORM_BITS) - 1)

    @property
    def place(self) -> str:
        """``partition:offset`` of the raw record."""
        raw = self.origin >> _FORM_BITS
        return f"{raw >> _OFFSET_BITS}:{raw & (1 << _OFFSET_BITS) - 1}"


def origin(partition: int, offset: int, form: Form) -> int:
    """The number of a record: raw partition, raw offset, form."""
    return (partition << _OFFSET_BITS | offset) << _FORM_BITS | form


def content(*parts: object) -> int:
    """A hash of plain values: text, numbers, None and tuples of them."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(slots=True)
class Sequences:
    """Key → its records in order."""

    _items: dict[str, "array[int]"] = field(default_factory=dict)

    def add(self, key: str, item: Item) -> None:
        """Put one more at the end of the key's records."""
        found = self._items.get(key)
        if found is None:
            found = self._items[key] = array("q")
        found.extend(item)

    def keys(self) -> Iterable[str]:
        """Every key."""
        return self._items.keys()

    def raw(self, key: str) -> "array[int]":
        """The key's records as they are kept."""
        return self._items.get(key, _NOTHING)

    def of(self, key: str) -> list[Item]:
        """The key's records in order."""
        numbers = iter(self.raw(key))
        return [Item(*pair) for pair in zip(numbers, numbers, strict=True)]

    def count(self) -> int:
        """How many records there are."""
        return sum(map(len, self._items.values())) // 2


_NOTHING: Final = array("q")


@dataclass(slots=True)
class Findings:
    """How often what was found, and some examples of each; no values of records."""

    counts: Counter[What] = field(default_factory=Counter)
    samples: dict[What, list[str]] = field(default_factory=dict)

    def add(self, what: What, where: str, times: int = 1) -> None:
        """Note something; the first few are kept with their place."""
        if times:
            self.counts[what] += times
            kept = self.samples.setdefault(what, [])
            if len(kept) < _SAMPLES:
                kept.append(where)


def compare(topic: str, expected: Sequences, found: Sequences, findings: Findings) -> None:
    """Note every difference between what must stand in a topic and what does."""
    for key in {*expected.keys(), *found.keys()}:
        if expected.raw(key) != found.raw(key):
            for what, item in _differences(expected.of(key), found.of(key)):
                findings.add(what, f"{topic}: from raw {item.place}")


def _differences(expected: list[Item], found: list[Item]) -> Iterator[tuple[What, Item]]:
    owed, there = Counter(expected), Counter(found)
    missing, surplus = owed - there, there - owed
    by_origin = {item.origin: item for item in missing}
    for item, times in surplus.items():
        if item in owed:
            yield from ((What.TWICE, item) for _ in range(times))
        elif (altered := by_origin.pop(item.origin, None)) is not None:
            del missing[altered]
            yield What.ALTERED, item
        else:
            yield What.NOT_OWED, item
    for item in missing:
        yield (What.TOMBSTONE_MISSING if item.form is Form.TOMBSTONE else What.LOST), item
    yield from ((What.REORDERED, item) for item in _out_of_order(expected, found))


def _out_of_order(expected: list[Item], found: list[Item]) -> Iterator[Item]:
    """Records that come after one that should follow them; repetitions are told elsewhere."""
    places = {item: number for number, item in enumerate(expected)}
    once = list(dict.fromkeys(item for item in found if item in places))
    for before, after in pairwise(once):
        if places[after] < places[before]:
            yield after


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed.

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    ranks = [(number + 1) / len(ordered) for number in range(len(ordered))]
    return ordered[min(bisect_left(ranks, share), len(ordered) - 1)]


def merged(parts: Mapping[str, int]) -> dict[str, int]:
    """Counts by name, sorted, zeros left out."""
    return {name: count for name, count in sorted(parts.items()) if count}
