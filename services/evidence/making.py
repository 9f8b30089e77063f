"""Makes a bundle from kept checkpoints and the topics: what is exported is compared with what was sealed."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.evidence.bundle import Asked, Consistency, Contents, PolicyProof, made
from services.evidence.checkpoints import Checkpoint, Sealing, Signed
from services.evidence.entries import DELIVERY, POLICY, Entry, Place, entry_text, order_of
from services.evidence.hashing import Hash, tree_hash
from services.evidence.merkle import Tree, leaf_hash
from services.evidence.sealed import Sealed, in_order_of_log

MARGIN_MS: Final = 60_000
"""How far two clocks may lie apart, and how long a transaction may be open: a range is taken wider by it."""
_POLICY_PLACE: Final = Place(POLICY, 0)


class NothingSealed(Exception):  # noqa: N818 - the caller seals first
    """There is no checkpoint that the range could be proven by."""


class LedgerDiffers(Exception):  # noqa: N818 - it is a finding
    """The topics do not hold what was sealed: they were changed since, or records are gone."""


class EntrySource(Protocol):
    """The topics of the log."""

    def between(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> Sequence[Entry]:
        """The entries of each place from its start (else 0) to before its end, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in milliseconds, both ends included."""

    from_ms: int
    to_ms: int


def bundle_of(
    log: Sequence[Sealed],
    source: EntrySource,
    witnesses: Sequence[Signed],
    span: Span,
    made_ms: int,
    sealing: Sealing,
) -> bytes:
    """Make the bundle of a stretch of time.

    Args:
        log: every kept checkpoint, from the first.
        source: the topics.
        witnesses: checkpoints of the trust files that the bundle is to be verified against.
        span: the stretch; where it goes on behind the last checkpoint it ends with that.
        made_ms: now.
        sealing: the key of now.

    Raises:
        NothingSealed: there is no checkpoint in or after the stretch that holds everything of its time.
        LedgerDiffers: what the topics hold is not what was sealed.
    """
    base, last = _chosen(log, span)
    tree = tree_of(log)
    covered = log[base:last]
    texts, versions = _entries(log[base - 1] if base else None, covered, source)
    newest = covered[-1].signed.checkpoint
    first = log[max(base, 1) - 1].signed.checkpoint
    contents = Contents(
        checkpoints=[each.signed for each in log[max(base, 1) - 1 : last]],
        consistency=list(consistency_with(tree, first, newest, witnesses)),
        policies=list(policies_of(log[:last], source, versions, tree)),
        entries=texts,
    )
    to_ms = min(span.to_ms, newest.time_ms)
    asked = Asked(min(span.from_ms, to_ms), to_ms, base, max(made_ms, newest.time_ms))
    return made(contents, asked, sealing)


def _chosen(log: Sequence[Sealed], span: Span) -> tuple[int, int]:
    """Number of the base (0 for the beginning) and of the last checkpoint."""
    times = [each.signed.checkpoint.time_ms for each in log]
    base = sum(1 for time_ms in times if time_ms <= span.from_ms - MARGIN_MS)
    if base >= len(log):
        raise NothingSealed("no checkpoint was made since the beginning of that stretch")
    # What a part leaves to the next one may be older than itself: a bundle never ends there.
    whole = [each.number for each in log[base:] if each.signed.checkpoint.whole]
    if not whole:
        raise NothingSealed("of what was written since the beginning of that stretch a part is sealed only")
    after = (number for number in whole if times[number - 1] >= span.to_ms + MARGIN_MS)
    return base, next(after, whole[-1])


def tree_of(log: Sequence[Sealed]) -> Tree:
    """The whole log from the kept digests.

    Raises:
        LedgerDiffers: they do not lead to the last checkpoint's root.
    """
    newest = log[-1].signed.checkpoint
    tree = Tree(tree_hash(newest.tree), [leaf for each in log for leaf in each.leaves])
    if tree.size != newest.size or tree.root(tree.size).hex() != newest.root:
        raise LedgerDiffers("the kept digests do not lead to the root of the last checkpoint")
    return tree


def _entries(
    base: Sealed | None, covered: Sequence[Sealed], source: EntrySource
) -> tuple[list[bytes], set[int]]:
    """The text of every entry, and the policy versions that deliveries name."""
    found = source.between(base.ends if base else {}, covered[-1].ends)
    hashed = tree_hash(covered[-1].signed.checkpoint.tree)
    texts: list[bytes] = []
    versions: set[int] = set()
    for sealed, segment in zip(covered, _segments(found, covered), strict=True):
        texts += compared(hashed, sealed, segment)
        deliveries = [entry.value for entry in segment if entry.topic == DELIVERY and entry.value]
        versions |= {value["policy_version"] for value in deliveries if "policy_version" in value}
    return texts, versions


def _segments(entries: Sequence[Entry], covered: Sequence[Sealed]) -> Iterator[list[Entry]]:
    """The entries that came with each checkpoint, in the order of the log."""
    waiting: dict[Place, deque[Entry]] = {}
    for entry in in_order_of_log(entries):
        waiting.setdefault(entry.place, deque()).append(entry)
    for sealed in covered:
        segment: list[Entry] = []
        for place in sorted(sealed.ends, key=order_of):
            queue = waiting.get(place, deque())
            while queue and queue[0].offset < sealed.ends[place]:
                segment.append(queue.popleft())
        yield segment


def compared(hashed: Hash, sealed: Sealed, segment: Sequence[Entry]) -> list[bytes]:
    """The texts of the entries that came with a checkpoint, in the order of the log.

    Raises:
        LedgerDiffers: they are not what was sealed.
    """
    texts = [entry_text(entry) for entry in segment]
    for entry, text, leaf in zip(segment, texts, sealed.leaves, strict=False):
        _compare(hashed, sealed, entry, text, leaf)
    if len(texts) != len(sealed.leaves):
        held, found = len(sealed.leaves), len(texts)
        raise LedgerDiffers(f"checkpoint {sealed.number} sealed {held} entries, the topics hold {found}")
    return texts


def _compare(hashed: Hash, sealed: Sealed, entry: Entry, text: bytes, leaf: bytes) -> None:
    if leaf_hash(hashed, text) != leaf:
        raise LedgerDiffers(f"{entry} is not what checkpoint {sealed.number} sealed at its place")


def consistency_with(
    tree: Tree, first: Checkpoint, last: Checkpoint, witnesses: Sequence[Signed]
) -> Iterator[Consistency]:
    """A proof for each witness whose checkpoint lies outside the bundle, where this log reaches it."""
    pairs = set()
    for witness in (each.checkpoint for each in witnesses):
        if witness.number < first.number:
            pairs.add((witness.size, first.size))
        elif witness.number > last.number:
            pairs.add((last.size, witness.size))
    for old, new in sorted(pairs):
        if 0 < old < new <= tree.size:
            yield Consistency(old, new, tuple(tree.consistency(old, new)))


def policies_of(
    log: Sequence[Sealed], source: EntrySource, versions: set[int], tree: Tree
) -> Iterator[PolicyProof]:
    """The policy versions of the deliveries, each with its place in the log up to the last checkpoint."""
    hashed, size = tree_hash(log[-1].signed.checkpoint.tree), log[-1].size
    found = source.between({}, {_POLICY_PLACE: log[-1].ends.get(_POLICY_PLACE, 0)}) if versions else ()
    at = 0
    for sealed, segment in zip(log, _segments(found, log), strict=True):
        # Policies come first of what comes with a checkpoint.
        for index, (entry, leaf) in enumerate(zip(segment, sealed.leaves, strict=False), at):
            text = entry_text(entry)
            _compare(hashed, sealed, entry, text, leaf)
            if entry.value and entry.value.get("version") in versions:
                yield PolicyProof(index, text, tuple(tree.inclusion(index, size)))
        at = sealed.size
