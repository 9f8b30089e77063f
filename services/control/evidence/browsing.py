"""The ledger for whoever browses it: which checkpoint covers an entry, and whether both hold.

Checkpoints are followed from the first, each verified once: it names the one before, its leaves lead from
that one's frontier to its own root, and a trusted key signed it. The offline verifier decides in a dispute
(`govbus verify`); this says early where to look.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from services.control.evidence.ledger_log import LedgerLog
from services.evidence.canonical import NotCanonical
from services.evidence.checkpoints import Checkpoint, Signed, frontier_of
from services.evidence.entries import Entry, Place, entry_text
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import AlgorithmMissing, tree_hash
from services.evidence.merkle import Frontier, leaf_hash
from services.evidence.sealed import Sealed, sealed_from
from services.evidence.trust import Holder, Trust
from services.ledger.counts import Place as TopicPlace
from services.ledger.reader import Bounds, TopicReader
from topics import names
from topics.event import TopicName

_PLACE: Final = TopicPlace(names.LEDGER_CHECKPOINTS, 0)
_LARGEST: Final = 2**63 - 1


class Standing(StrEnum):
    """How one entry stands."""

    VERIFIED = "verified"
    """It is in the checkpoint that covers it, which holds and is signed by a trusted key."""
    UNSIGNED = "unsigned"
    """The same, but there is no trust file here that knows the keys."""
    WAITING = "waiting"
    """No checkpoint covers it yet."""
    FAULTY = "faulty"
    """It is not in the checkpoint that should hold it, or that one does not hold."""


@dataclass(frozen=True, slots=True)
class Known:
    """A checkpoint that was followed, and where its record stands."""

    number: int
    offset: int
    sound: bool


@dataclass(slots=True)
class Followed:
    """Every checkpoint that was followed, column by column: about a hundred bytes each, for years of them.

    Only one thread adds, and cuts off what a look that failed has left behind. Whoever looks meanwhile says
    how many there were when it began, and sees those only.
    """

    tree: str = ""
    """The hash of the log, as its first checkpoint says."""
    _numbers: "array[int]" = field(default_factory=lambda: array("q"))
    _offsets: "array[int]" = field(default_factory=lambda: array("q"))
    _sound: bytearray = field(default_factory=bytearray)
    _reached: dict[Place, "array[int]"] = field(default_factory=dict)
    """Of each place the furthest end up to each checkpoint."""

    def __len__(self) -> int:
        return len(self._sound)

    def add(self, checkpoint: Checkpoint, offset: int, *, sound: bool) -> None:
        """Add the next one.

        Raises:
            Faulty: it names a number that no topic has an offset for.
        """
        if max(checkpoint.number, offset, *checkpoint.ends.values()) > _LARGEST:
            raise Faulty(Fault.CHECKPOINT_CHAIN, f"offset {offset}", "a number is beyond every offset")
        before = len(self)
        self.tree = self.tree or checkpoint.tree
        self._numbers.append(checkpoint.number)
        self._offsets.append(offset)
        self._sound.append(sound)
        for place in checkpoint.ends.keys() - self._reached.keys():
            self._reached[place] = array("q", bytes(8 * before))
        # Last, and each at once: what covering finds in them stands in the other columns.
        for place, ends in self._reached.items():
            ends.append(max(checkpoint.ends.get(place, 0), ends[-1] if ends else 0))

    def cut(self, many: int) -> None:
        """Keep only so many."""
        for column in (self._numbers, self._offsets, self._sound, *self._reached.values()):
            del column[many:]

    def covering(self, place: Place, offset: int, many: int) -> Known | None:
        """The first of so many that holds an offset; None where it is not sealed yet."""
        ends = self._reached.get(place, ())
        many = min(many, len(ends))
        at = bisect_right(ends, offset, 0, many)
        if at >= many:
            return None
        return Known(self._numbers[at], self._offsets[at], bool(self._sound[at]))


@dataclass(frozen=True, slots=True)
class Book:
    """All checkpoints up to an offset; ``fault`` is the first one that was found."""

    known: Followed = field(default_factory=Followed)
    many: int = 0
    """So many of the known ones are this book's: a later one, or a look that failed, may have added more."""
    last: Signed | None = None
    read: int = 0
    fault: Faulty | None = None
    trusted: bool = False
    witness: int | None = None
    """The newest checkpoint that the trust file's witness holds."""
    holder: Holder | None = None
    """Who that is, as the trust file says."""

    def covering(self, place: Place, offset: int) -> Known | None:
        """The first checkpoint that holds an offset; None where it is not sealed yet."""
        return self.known.covering(place, offset, self.many)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, the number of the checkpoint that covers it, and how it stands."""

    entry: Entry
    checkpoint: int | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a partition, the newest first; ``before`` is where the next older page ends."""

    lines: tuple[Line, ...]
    before: int | None


def followed(book: Book, reader: TopicReader, trust: Trust | None) -> Book:
    """Go on from where the book ends; a checkpoint that does not hold ends nothing, and is remembered."""
    holder = None if trust is None else trust.holder
    book = replace(book, trusted=trust is not None, witness=_witness(trust), holder=holder)
    if _PLACE not in reader.places(names.LEDGER_CHECKPOINTS):
        return book
    end = reader.bounds(_PLACE).end
    if end < book.read:
        fault = Faulty(Fault.CHECKPOINT_CHAIN, str(_PLACE), "it ends before what was read of it")
        return replace(book, fault=book.fault or fault)
    book.known.cut(book.many)
    for record in reader.read_all({_PLACE: Bounds(book.read, end)}):
        try:
            book = _added(book, sealed_from(record.value or b""), record.offset, trust)
        except NotCanonical as error:
            fault = Faulty(Fault.CHECKPOINT_CHAIN, str(record.coordinates), str(error))
            book = replace(book, fault=book.fault or fault)
        except Faulty as error:
            book = replace(book, fault=book.fault or error)
    return replace(book, read=end)


def leaf(book: Book, log: LedgerLog, place: Place, before: int | None, many: int) -> Leaf:
    """One page of a partition: at most so many offsets, those before ``before``, each held to its leaf."""
    at = TopicPlace(TopicName(place.topic), place.partition)
    bounds = log.reader.bounds(at)
    end = bounds.end if before is None else min(before, bounds.end)
    start = max(bounds.low, end - many)
    entries = log.between({place: start}, {place: end}) if start < end else []
    covers = {each.offset: book.covering(place, each.offset) for each in entries}
    leaves = _leaves(log.reader, covers.values())
    lines = [_line(book, each, covers[each.offset], leaves) for each in entries]
    lines.sort(key=lambda each: -each.entry.offset)
    return Leaf(tuple(lines), start if start > bounds.low else None)


def shown(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a block or an act says, for a line of a list."""
    found = value or {}
    if "what" in found:
        return {name: found.get(name) for name in ("what", "kind", "object")}
    names_of_block = ("topic", "partition", "from_offset", "to_offset", "records", "policy_version")
    return {name: found.get(name) for name in names_of_block}


def _added(book: Book, sealed: Sealed, offset: int, trust: Trust | None) -> Book:
    fault = None
    try:
        _check(book.last, sealed, trust)
    except Faulty as error:
        fault = error
    book.known.add(sealed.signed.checkpoint, offset, sound=fault is None)
    return replace(book, last=sealed.signed, many=book.many + 1, fault=book.fault or fault)


def _check(last: Signed | None, sealed: Sealed, trust: Trust | None) -> None:
    """Raises Faulty with what does not hold."""
    one, where = sealed.signed.checkpoint, f"checkpoint {sealed.number}"
    number, previous = (1, "") if last is None else (last.checkpoint.number + 1, last.digest())
    if (one.number, one.previous) != (number, previous):
        raise Faulty(Fault.CHECKPOINT_CHAIN, where, f"it does not follow checkpoint {number - 1}")
    try:
        frontier = Frontier(tree_hash(one.tree)) if last is None else frontier_of(last.checkpoint)
    except (ValueError, AlgorithmMissing) as error:
        raise Faulty(Fault.ROOT_DIFFERS, where, str(error)) from error
    for each in sealed.leaves:
        frontier.append(each)
    if (frontier.size, frontier.root().hex()) != (one.size, one.root):
        raise Faulty(Fault.ROOT_DIFFERS, where, "its leaves do not lead to its root")
    if trust is not None:
        try:
            trust.check(one.key, sealed.signed.signature, sealed.signed.message(), one.time_ms, where)
        except AlgorithmMissing as error:
            raise Faulty(Fault.ALGORITHM_MISSING, where, str(error)) from error


def _leaves(reader: TopicReader, covers: Iterable[Known | None]) -> Mapping[int, frozenset[bytes]]:
    """The leaves of the checkpoints that cover a page, by their numbers: read again, since they are many."""
    wanted = {each.number: each for each in covers if each}
    found = {}
    for number, known in wanted.items():
        for record in reader.read(_PLACE, known.offset, known.offset + 1):
            found[number] = frozenset(sealed_from(record.value or b"").leaves)
    return found


def _line(book: Book, entry: Entry, known: Known | None, leaves: Mapping[int, frozenset[bytes]]) -> Line:
    if known is None:
        return Line(entry, None, Standing.WAITING)
    within = leaf_hash(tree_hash(book.known.tree), entry_text(entry)) in leaves.get(known.number, frozenset())
    if not (within and known.sound):
        return Line(entry, known.number, Standing.FAULTY)
    return Line(entry, known.number, Standing.VERIFIED if book.trusted else Standing.UNSIGNED)


def _witness(trust: Trust | None) -> int | None:
    return None if trust is None else trust.witness.checkpoint.number
