"""Verifies a bundle against a trust file, offline: names the first fault, or says what the bundle proves.

In this order: form, log and signature of the manifest; digests of the files; checkpoints with their
signatures, their chain and the covered time; every entry against the roots (so that between the first and
the last nothing is missing, added, altered or moved); the witness; then what the entries mean.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from services.evidence.allowing import Covered, Delivered, Reading
from services.evidence.bundle import MANIFEST, Consistency, Contents, Manifest, contents_of, opened
from services.evidence.canonical import NotCanonical
from services.evidence.checkpoints import Checkpoint, Signed, frontier_of
from services.evidence.entries import Entry, entry_from, order_of
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import AlgorithmMissing, tree_hash
from services.evidence.merkle import Frontier, extends, includes, leaf_hash
from services.evidence.trust import Holder, Trust

_NOTHING: Final[tuple[int, int]] = (-1, -1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: no fault, or the first one with where and why."""

    fault: Fault | None
    where: str = ""
    detail: str = ""
    manifest: Manifest | None = None
    first_index: int = 0
    """Index in the log of the first entry."""
    entries: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    """Entries by topic."""
    delivered: Sequence[Delivered] = ()
    covered: Sequence[Covered] = ()
    root: str = ""
    witness: int = 0
    """Number of the witness' checkpoint."""
    holder: Holder | None = None
    """Who held it, as the trust file says."""

    @property
    def proven(self) -> bool:
        """Whether nothing was found."""
        return self.fault is None


def verify(archive: bytes, trust: Trust) -> Verdict:
    """Say what the bundle proves, or what is wrong with it; never raises for what stands in the bundle."""
    manifest = None
    try:
        manifest, signature, files = opened(archive)
        _check_manifest(manifest, signature, files, trust)
        contents = contents_of(files)
        chain = _checked_chain(contents.checkpoints, manifest, trust)
        entries = list(_placed(contents.entries, chain, based=manifest.base > 0))
        check_witness(chain, contents.consistency, trust)
        reading = _read(entries, contents, chain[-1])
        delivered = reading.delivered()
    except Faulty as found:
        return Verdict(found.fault, found.where, found.detail, manifest)
    except AlgorithmMissing as missing:
        return Verdict(Fault.ALGORITHM_MISSING, "this machine", str(missing), manifest)
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.topic] = counts.get(entry.topic, 0) + 1
    last = chain[-1].checkpoint
    return Verdict(
        None,
        manifest=manifest,
        first_index=last.size - len(entries),
        entries=len(entries),
        counts=dict(sorted(counts.items())),
        delivered=delivered,
        covered=reading.covered(),
        root=last.root,
        witness=trust.witness.checkpoint.number,
        holder=trust.holder,
    )


def _check_manifest(manifest: Manifest, signature: str, files: Mapping[str, bytes], trust: Trust) -> None:
    if manifest.log != trust.log:
        raise Faulty(Fault.OTHER_LOG, MANIFEST, f"of log {manifest.log}, trusted is {trust.log}")
    trust.check(manifest.key, signature, manifest.message(), manifest.made_ms, MANIFEST)
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise Faulty(Fault.FILE_ALTERED, name, "its digest is not the manifest's")


def _checked_chain(checkpoints: Sequence[Signed], manifest: Manifest, trust: Trust) -> list[Signed]:
    """The checkpoints, each signed and each naming the one before."""
    numbers = [each.checkpoint.number for each in checkpoints]
    wanted = list(range(max(manifest.base, 1), manifest.last + 1))
    if numbers != wanted or not numbers or (manifest.base > 0 and len(numbers) < 2):
        raise Faulty(Fault.CHECKPOINT_CHAIN, "checkpoints.jsonl", f"numbers {numbers}, not {wanted}")
    for each in checkpoints:
        check_signed(each, trust, _named(each.checkpoint))
    first = checkpoints[0].checkpoint
    if first.number == 1 and first.previous:
        raise Faulty(Fault.CHECKPOINT_CHAIN, _named(first), "the first names one before it")
    for before, after in pairwise(checkpoints):
        _check_link(before, after)
    _check_covered(manifest, checkpoints)
    return list(checkpoints)


def check_signed(each: Signed, trust: Trust, where: str) -> None:
    """Make sure that a checkpoint is of the trusted log, and signed by one of its keys.

    Raises:
        Faulty: it is not.
    """
    one = each.checkpoint
    if one.log != trust.log:
        raise Faulty(Fault.OTHER_LOG, where, f"of log {one.log}, trusted is {trust.log}")
    trust.check(one.key, each.signature, each.message(), one.time_ms, where)


def _check_link(before: Signed, after: Signed) -> None:
    old, new = before.checkpoint, after.checkpoint
    grown = all(place in new.ends and new.ends[place] >= end for place, end in old.ends.items())
    if new.previous != before.digest():
        raise Faulty(Fault.CHECKPOINT_CHAIN, _named(new), "it names another one before it")
    if new.size < old.size or new.time_ms < old.time_ms or new.tree != old.tree or not grown:
        raise Faulty(Fault.CHECKPOINT_CHAIN, _named(new), "it goes back behind the one before it")


def _check_covered(manifest: Manifest, checkpoints: Sequence[Signed]) -> None:
    first, last = checkpoints[0].checkpoint, checkpoints[-1].checkpoint
    late = manifest.base > 0 and first.time_ms > manifest.from_ms
    if late or last.time_ms < manifest.to_ms or manifest.from_ms > manifest.to_ms:
        raise Faulty(
            Fault.RANGE_NOT_COVERED, MANIFEST, "the checkpoints do not reach over the time it speaks of"
        )
    if not last.whole:
        what = "more was waiting than its last checkpoint holds: blocks of that time may be missing"
        raise Faulty(Fault.RANGE_NOT_COVERED, _named(last), what)
    if manifest.made_ms < last.time_ms:
        raise Faulty(Fault.RANGE_NOT_COVERED, MANIFEST, "made before its last checkpoint")


def _placed(texts: Sequence[bytes], chain: Sequence[Signed], *, based: bool) -> Iterator[Entry]:
    """The entries, each at its place, checkpoint after checkpoint, each with its root."""
    before: Checkpoint | None = chain[0].checkpoint if based else None
    frontier = _frontier(before) if before else Frontier(tree_hash(chain[0].checkpoint.tree))
    at = 0
    for each in chain[1:] if based else chain:
        one = each.checkpoint
        count = one.size - frontier.size
        segment = texts[at : at + count]
        at += count
        if len(segment) < count:
            raise Faulty(Fault.ENTRY_MISPLACED, _named(one), f"{count} entries belong here: some are missing")
        yield from _segment(segment, before, one, frontier)
        if frontier.root().hex() != one.root or [peak.hex() for peak in frontier.peaks] != list(one.frontier):
            raise Faulty(Fault.ROOT_DIFFERS, _named(one), "its entries do not lead to its root")
        before = one
    if at != len(texts):
        raise Faulty(Fault.ENTRY_MISPLACED, "entries.jsonl", "entries follow after the last checkpoint's")


def _frontier(base: Checkpoint) -> Frontier:
    try:
        return frontier_of(base)
    except ValueError as error:
        raise Faulty(Fault.ROOT_DIFFERS, _named(base), str(error)) from error


def _segment(
    texts: Sequence[bytes], before: Checkpoint | None, one: Checkpoint, frontier: Frontier
) -> Iterator[Entry]:
    ends_before = before.ends if before else {}
    latest: tuple[tuple[int, int], int] = (_NOTHING, -1)
    for text in texts:
        where = f"entry {frontier.size}"
        try:
            entry = entry_from(text)
        except NotCanonical as error:
            raise Faulty(Fault.BUNDLE_MALFORMED, where, str(error)) from error
        place = entry.place
        here = (order_of(place), entry.offset)
        if here <= latest:
            raise Faulty(Fault.ENTRY_MISPLACED, f"{where}, {entry}", "not in the order of the log")
        if not ends_before.get(place, 0) <= entry.offset < one.ends.get(place, 0):
            raise Faulty(Fault.ENTRY_MISPLACED, f"{where}, {entry}", f"not between the ends at {_named(one)}")
        latest = here
        frontier.append(leaf_hash(frontier.hashed, text))
        yield entry


def check_witness(chain: Sequence[Signed], proofs: Sequence[Consistency], trust: Trust) -> None:
    """Make sure that the log of the bundle and the log that the witness saw are one.

    Raises:
        Faulty: they are not, or nothing proves it.
    """
    held = trust.witness
    check_signed(held, trust, "the trust file's witness checkpoint")
    witness, first, last = held.checkpoint, chain[0].checkpoint, chain[-1].checkpoint
    where = f"{_named(witness)} of the witness"
    if first.number <= witness.number <= last.number:
        if chain[witness.number - first.number].digest() != held.digest():
            raise Faulty(Fault.FORKED, where, "the bundle holds another one with that number")
        return
    old, new = (witness, first) if witness.number < first.number else (last, witness)
    if old.size > new.size or old.time_ms > new.time_ms or old.tree != new.tree:
        raise Faulty(Fault.FORKED, where, f"{_named(new)} goes back behind {_named(old)}")
    path = next((proof.path for proof in proofs if (proof.old, proof.new) == (old.size, new.size)), None)
    if path is None and old.size not in (new.size, 0):
        raise Faulty(
            Fault.WITNESS_NOT_REACHED,
            where,
            "the bundle has no proof that leads to it: made for another trust file, or from a log that "
            "was rolled back",
        )
    sides = [(one.size, bytes.fromhex(one.root)) for one in (old, new)]
    if not extends(tree_hash(old.tree), sides[0], sides[1], path or ()):
        raise Faulty(Fault.FORKED, where, "the proof of consistency with it does not hold")


def _read(entries: Sequence[Entry], contents: Contents, last: Signed) -> Reading:
    """What the entries mean: chains without a gap, each delivery allowed by a policy of the log."""
    reading = Reading()
    one = last.checkpoint
    hashed, root = tree_hash(one.tree), bytes.fromhex(one.root)
    for proof in contents.policies:
        where = f"policies.jsonl, index {proof.index}"
        leaf = leaf_hash(hashed, proof.text)
        if not includes(hashed, leaf, proof.index, one.size, proof.path, root):
            raise Faulty(Fault.PROOF_WRONG, where, "the proof of inclusion does not hold")
        try:
            reading.learn(entry_from(proof.text), where)
        except NotCanonical as error:
            raise Faulty(Fault.BUNDLE_MALFORMED, where, str(error)) from error
    for entry in entries:
        reading.read(entry)
    return reading


def _named(one: Checkpoint) -> str:
    return f"checkpoint {one.number}"
