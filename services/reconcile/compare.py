"""Compares two sides range by range: a table's rows with what a topic says of the same keys; pure.

Both sides have a count and a sum of digests for each range of keys. Where they are equal, the range is; where
not, its keys are looked at one by one. Which side is right is said by the caller: a source is what its topic
must hold, a grant's topic is what a sink's table must hold.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from services.reconcile.rows import WHOLE, number
from services.reconcile.spill import Entry, Spill, State, is_once, read_range


class Kind(StrEnum):
    """How one key differs on the side that is examined."""

    LOST = "lost"
    EXTRA = "extra"
    DIFFERENT = "different"
    DUPLICATED = "duplicated"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that differs; ``at`` is where the topic's records of it stand: partition and offset."""

    kind: Kind
    id: str
    at: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Sums:
    """How many rows one side has, and the sum of their digests."""

    count: int = 0
    digest: int = 0

    def add(self, count: int, digest: int) -> None:
        """Add rows."""
        self.count += count
        self.digest = (self.digest + digest) % WHOLE

    def hex(self) -> str:
        """The digest as 32 hexadecimal characters."""
        return f"{self.digest:032x}"


@dataclass(slots=True)
class Compared:
    """Both sides added up; ``ranges`` that were compared, and those of them that differ."""

    table: Sums = field(default_factory=Sums)
    topic: Sums = field(default_factory=Sums)
    ranges: int = 0
    differing_ranges: int = 0


@dataclass(frozen=True, slots=True)
class Topic:
    """The side whose keys may have several records.

    Args:
        entries: the records of a range, of one key in their order.
        totals: how many each range has, and the sum of their digests.
        is_once: whether each record of a range is a row, and of another id than the others. Where such a
            range has the table's count and sum, it is the table's without a look at its keys one by one.
    """

    entries: Callable[[int], Iterable[Entry]]
    totals: list[tuple[int, int]]
    is_once: Callable[[int], bool]


@dataclass(slots=True)
class _Key:
    """What a topic says of one of its keys: the last state, and those that a follower may still have."""

    last: Entry
    accepted: set[bytes | None]

    @property
    def certain(self) -> bool:
        """Whether the key is there, whichever of its states counts."""
        return None not in self.accepted


def compare(
    ranges: int,
    table: Callable[[int], Iterable[Entry]],
    table_totals: list[tuple[int, int]],
    topic: Topic,
    into: Compared,
    *,
    table_is_right: bool,
) -> Iterator[Difference]:
    """Every key that differs, range by range; sums are added to ``into`` as the ranges are done.

    Args:
        ranges: how many there are.
        table: the rows of a range, one entry each.
        table_totals: count and sum of each range of the table.
        topic: its records.
        into: what is added up.
        table_is_right: whether the topic is examined; else the table is.
    """
    for at in range(ranges):
        into.ranges += 1
        into.table.add(*table_totals[at])
        if topic.totals[at] == table_totals[at] and topic.is_once(at):
            into.topic.add(*topic.totals[at])
            continue
        keys, moving = fold(topic.entries(at))
        count, total = _standing(keys.values())
        into.topic.add(count, total)
        if not moving and (count, total) == table_totals[at]:
            continue
        found = list(_of_range(table(at), keys, table_is_right=table_is_right))
        into.differing_ranges += bool(found)
        yield from found


def of_topic(spill: Spill) -> Topic:
    """What was spilled of a topic, once it is all there."""
    return Topic(
        lambda at: read_range(spill.folder, at), spill.totals(), lambda at: is_once(spill.folder, at)
    )


def fold(entries: Iterable[Entry]) -> tuple[dict[bytes, _Key], bool]:
    """The state of each of a topic's keys, and whether one of them is moving."""
    keys: dict[bytes, _Key] = {}
    moving = False
    for entry in entries:
        state = entry.state
        value = None if state in (State.GONE, State.MOVING_GONE) else entry.digest
        known = keys.get(entry.key)
        if state in (State.MOVING_ROW, State.MOVING_GONE):
            moving = True
            accepted: set[bytes | None] = {None} if known is None else known.accepted
            keys[entry.key] = _Key(entry, accepted | {value})
        else:
            keys[entry.key] = _Key(entry, {value})
    return keys, moving


def _standing(keys: Iterable[_Key]) -> tuple[int, int]:
    count = total = 0
    for key in keys:
        if key.last.state in (State.ROW, State.MOVING_ROW, State.UNFIT):
            count += 1
            total += number(key.last.digest)
    return count, total % WHOLE


def _of_range(
    rows: Iterable[Entry], keys: dict[bytes, _Key], *, table_is_right: bool
) -> Iterator[Difference]:
    of_id: dict[bytes, list[_Key]] = {}
    for key in keys.values():
        of_id.setdefault(key.last.id, []).append(key)
    seen: dict[bytes, list[bytes | None]] = {}
    for row in rows:
        seen.setdefault(row.id, []).append(None if row.state == State.UNFIT else row.digest)
    for id_, digests in seen.items():
        kind = _kind(digests, of_id.get(id_, []), table_is_right=table_is_right)
        if kind is not None:
            yield _difference(kind, id_, of_id.get(id_, []))
    only_topic = Kind.EXTRA if table_is_right else Kind.LOST
    for id_, known in of_id.items():
        if id_ not in seen and any(key.certain for key in known):
            yield _difference(only_topic, id_, known)


def _kind(digests: list[bytes | None], keys: list[_Key], *, table_is_right: bool) -> Kind | None:
    """How an id of which the table has rows differs; None where it does not."""
    there = [key for key in keys if key.accepted != {None}]
    certain = [key for key in there if key.certain]
    if len(digests) > 1 or len(certain) > 1:
        return Kind.DUPLICATED
    if not there:
        return Kind.LOST if table_is_right else Kind.EXTRA
    if len(certain) == 1:
        there = certain
    same = digests[0] is not None and any(digests[0] in key.accepted for key in there)
    return None if same else Kind.DIFFERENT


def _difference(kind: Kind, id_: bytes, keys: list[_Key]) -> Difference:
    at = tuple(
        (key.last.partition, key.last.offset)
        for key in keys
        if key.last.state not in (State.GONE, State.MOVING_GONE)
    )
    return Difference(kind, id_.decode(), at)
