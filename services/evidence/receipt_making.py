"""Makes a receipt: finds the entries in the log, compares them with what was sealed, and proves each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.evidence.bundle import PolicyProof
from services.evidence.checkpoints import Sealing, Signed
from services.evidence.entries import Place, entry_text
from services.evidence.hashing import tree_hash
from services.evidence.making import (
    EntrySource,
    NothingSealed,
    compared,
    consistency_with,
    policies_of,
    tree_of,
)
from services.evidence.merkle import Tree
from services.evidence.receipt import About, Proofs, Stated, Statement, made
from services.evidence.sealed import Sealed, in_order_of_log


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
) -> bytes:
    """Make a receipt, proven against the last checkpoint.

    Args:
        log: every kept checkpoint, from the first.
        source: the topics.
        witnesses: checkpoints of the trust files that it is to be verified against.
        asked: what became of the record, and in which entries that stands.
        made_ms: now.
        sealing: the key of now.

    Raises:
        NothingSealed: one of the entries is in no checkpoint yet.
        LedgerDiffers: what the topics hold is not what was sealed.
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
    found = Proofs(
        newest, list(consistency_with(tree, newest.checkpoint, newest.checkpoint, witnesses)), proofs
    )
    made_ms = max(made_ms, newest.checkpoint.time_ms)
    return made(Statement(asked.about, asked.deliveries, asked.whole, made_ms), found, sealing)


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
