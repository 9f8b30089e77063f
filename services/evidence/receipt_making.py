"""Makes a receipt: finds the entries in the log, compares them with what was sealed, and proves each."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.evidence.bundle import PolicyProof
from services.evidence.checkpoints import Sealing, Signed
from services.evidence.closed import ClosedProof
from services.evidence.entries import ACTS, DELIVERY, POLICY, Entry, Place, entry_from, entry_text
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import tree_hash
from services.evidence.judging_receipt import Judging, Proven
from services.evidence.making import (
    EntrySource,
    NothingSealed,
    compared,
    consistency_with,
    policies_of,
    tree_of,
)
from services.evidence.merkle import Tree, leaf_hash
from services.evidence.receipt import About, Proofs, Receipt, Stated, Statement, Terms, made
from services.evidence.sealed import Sealed, in_order_of_log

EVERYTHING: Final = frozenset({POLICY, DELIVERY, ACTS})
"""The topics of whose entries a receipt may show the text: an auditor's shows all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proven."""

    about: About
    deliveries: Sequence[Stated]
    whole: bool
    policy_versions: frozenset[int]
    """Those by which the blocks decided."""


def receipt_of(
    log: Sequence[Sealed],
    source: EntrySource,
    witnesses: Sequence[Signed],
    asked: Asked,
    made_ms: int,
    sealing: Sealing,
    shown: frozenset[str] = EVERYTHING,
) -> bytes:
    """Make a receipt, proven against the last checkpoint.

    Args:
        log: every kept checkpoint, from the first.
        source: the topics.
        witnesses: checkpoints of the trust files that it is to be verified against.
        asked: what became of the record, and in which entries that stands.
        made_ms: now.
        sealing: the key of now.
        shown: the topics of the log whose entries it shows; of all others it shows the digests, and states
            what they say.

    Raises:
        NothingSealed: one of the entries is in no checkpoint yet, or of a whole record a recipient's is not.
        LedgerDiffers: what the topics hold is not what was sealed.
        Faulty: the entries do not bear out what would be stated of those that are not shown.
    """
    if not log:
        raise NothingSealed("there is no checkpoint yet")
    tree, newest = tree_of(log), log[-1].signed
    wanted = {each.block for each in asked.deliveries}
    wanted |= {acquired.act for each in asked.deliveries for acquired in each.acquired}
    proofs = [
        *policies_of(log, source, set(asked.policy_versions), tree),
        *_proofs(log, source, sorted(wanted), tree),
    ]
    entries = {str(entry): entry for entry in (entry_from(proof.text) for proof in proofs)}
    judged = _judged(asked, entries, newest, made_ms, closed=not shown >= EVERYTHING)
    consistency = list(consistency_with(tree, newest.checkpoint, newest.checkpoint, witnesses))
    open_, closed = _split(zip(proofs, entries.values(), strict=True), shown, newest)
    deliveries = _with_terms(asked.deliveries, judged, entries) if closed else asked.deliveries
    statement = Statement(asked.about, deliveries, asked.whole, max(made_ms, newest.checkpoint.time_ms))
    return made(statement, Proofs(newest, consistency, open_, closed), sealing)


def _judged(
    asked: Asked, entries: Mapping[str, Entry], newest: Signed, made_ms: int, *, closed: bool
) -> Sequence[Proven]:
    """Judge it as who is shown everything would: nobody else can tell what is missing or was not allowed."""
    deliveries, log = tuple(asked.deliveries), newest.checkpoint.log
    receipt = Receipt(log, asked.about, deliveries, asked.whole, made_ms, key="", files={})
    try:
        return Judging(receipt, entries, frozenset()).proven()
    except Faulty as found:
        if found.fault is Fault.RECEIPT_INCOMPLETE:
            raise NothingSealed(f"{found.where}: {found.detail}") from found
        if closed:
            raise
        # Whoever is shown everything is shown the fault.
        return ()


def _split(
    proofs: Iterable[tuple[PolicyProof, Entry]], shown: Collection[str], newest: Signed
) -> tuple[list[PolicyProof], list[ClosedProof]]:
    """What is shown, and of all else the digest."""
    hashed = tree_hash(newest.checkpoint.tree)
    open_: list[PolicyProof] = []
    closed: list[ClosedProof] = []
    for proof, entry in proofs:
        if entry.topic in shown:
            open_.append(proof)
        else:
            closed.append(ClosedProof(proof.index, str(entry), leaf_hash(hashed, proof.text), proof.path))
    return open_, closed


def _with_terms(
    deliveries: Sequence[Stated], judged: Sequence[Proven], entries: Mapping[str, Entry]
) -> list[Stated]:
    """The same, each with what its block, its policy and its acts say of it."""
    policies = {
        (entry.value or {})["version"]: where for where, entry in entries.items() if entry.topic == POLICY
    }
    found = []
    for stated, proven in zip(deliveries, judged, strict=True):
        terms = Terms(
            consumer=proven.consumer,
            purpose=proven.purpose,
            legal_basis=proven.legal_basis,
            policy_version=proven.policy_version,
            policy=policies[proven.policy_version],
            written_ms=proven.written_ms,
        )
        acquired = tuple(replace(each, seen_ms=entries[each.act].timestamp_ms) for each in stated.acquired)
        found.append(replace(stated, terms=terms, acquired=acquired))
    return found


def _proofs(
    log: Sequence[Sealed], source: EntrySource, wanted: Sequence[str], tree: Tree
) -> Iterator[PolicyProof]:
    """Each entry with its place in the log; the checkpoint that it came with is compared as a whole."""
    by_number: dict[int, set[str]] = {}
    for where in wanted:
        by_number.setdefault(_number_of(log, where), set()).add(where)
    hashed, size = tree_hash(log[-1].signed.checkpoint.tree), log[-1].size
    for number, names in sorted(by_number.items()):
        sealed, before = log[number - 1], log[number - 2] if number > 1 else None
        starts: Mapping[Place, int] = before.ends if before else {}
        segment = in_order_of_log(source.between(starts, sealed.ends))
        compared(hashed, sealed, segment)
        first = before.size if before else 0
        for index, entry in enumerate(segment, first):
            if str(entry) in names:
                yield PolicyProof(index, entry_text(entry), tuple(tree.inclusion(index, size)))


def _number_of(log: Sequence[Sealed], where: str) -> int:
    """The number of the checkpoint with which an entry came."""
    topic, partition, offset = where.rsplit(":", 2)
    place = Place(topic, int(partition))
    for sealed in log:
        if sealed.ends.get(place, 0) > int(offset):
            return sealed.number
    raise NothingSealed(f"{where} is in no checkpoint yet")
