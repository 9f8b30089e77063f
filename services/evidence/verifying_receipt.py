"""Verifies a receipt against a trust file, offline: what it says stands in the log and was allowed.

Of an entry that is not the reader's business a receipt shows only the digest: then it is proven that such an
entry stands in the log, and what it says is the bus's signed word, as ``Proven`` says of each delivery.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from services.evidence.canonical import NotCanonical
from services.evidence.entries import Entry, entry_from
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import tree_hash
from services.evidence.judging_receipt import Judging, Proven
from services.evidence.merkle import includes, leaf_hash
from services.evidence.receipt import PROOFS, RECEIPT, Proofs, Receipt, opened, proofs_of
from services.evidence.trust import Holder, Trust
from services.evidence.verifying import check_signed, check_witness


@dataclass(frozen=True, slots=True)
class ReceiptVerdict:
    """What a receipt proves."""

    receipt: Receipt
    deliveries: Sequence[Proven]
    entries: int
    root: str
    checkpoint: int
    sealed_ms: int
    witness: int
    holder: Holder | None
    """Who held the witness' checkpoint, as the trust file says."""

    @property
    def proven(self) -> bool:
        """Always so: what is not is raised, and never returned."""
        return True

    @property
    def complete(self) -> bool:
        """Whether it is proven that no grant of the resource is left out."""
        return self.receipt.whole and all(each.block_shown and each.policy_shown for each in self.deliveries)

    @property
    def open(self) -> bool:
        """Whether it shows every entry that it rests on."""
        return not self.receipt.closed


def verify_receipt(archive: bytes, trust: Trust) -> ReceiptVerdict:
    """Say what the receipt proves.

    Raises:
        Faulty: the first thing that is wrong with it.
        AlgorithmMissing: this machine lacks an algorithm that it needs.
    """
    receipt, signature, files = opened(archive)
    if receipt.log != trust.log:
        raise Faulty(Fault.OTHER_LOG, RECEIPT, f"of log {receipt.log}, trusted is {trust.log}")
    trust.check(receipt.key, signature, receipt.message(), receipt.made_ms, RECEIPT)
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != receipt.files[name]:
            raise Faulty(Fault.FILE_ALTERED, name, "its digest is not the receipt's")
    proofs = proofs_of(receipt, files)
    one = proofs.checkpoint.checkpoint
    check_signed(proofs.checkpoint, trust, f"checkpoint {one.number}")
    if receipt.made_ms < one.time_ms:
        raise Faulty(Fault.RANGE_NOT_COVERED, RECEIPT, "made before its checkpoint")
    check_witness([proofs.checkpoint], proofs.consistency, trust)
    _require_once(proofs)
    entries, closed = _included(proofs), _included_closed(proofs)
    return ReceiptVerdict(
        receipt=receipt,
        deliveries=Judging(receipt, entries, closed).proven(),
        entries=len(entries) + len(closed),
        root=one.root,
        checkpoint=one.number,
        sealed_ms=one.time_ms,
        witness=trust.witness.checkpoint.number,
        holder=trust.holder,
    )


def _require_once(proofs: Proofs) -> None:
    """No place of the log stands for two entries, and no entry for two places."""
    indices = [*(each.index for each in proofs.entries), *(each.index for each in proofs.closed)]
    names = [each.at for each in proofs.closed]
    if len({*indices}) != len(indices) or len({*names}) != len(names):
        raise Faulty(Fault.BUNDLE_MALFORMED, PROOFS, "an entry stands in it twice")


def _included(proofs: Proofs) -> dict[str, Entry]:
    """The entries by their coordinates, each proven to stand in the log."""
    hashed = tree_hash(proofs.checkpoint.checkpoint.tree)
    found: dict[str, Entry] = {}
    for proof in proofs.entries:
        _check(proofs, leaf_hash(hashed, proof.text), proof.index, proof.path)
        try:
            entry = entry_from(proof.text)
        except NotCanonical as error:
            raise Faulty(Fault.BUNDLE_MALFORMED, f"{PROOFS}, index {proof.index}", str(error)) from error
        found[str(entry)] = entry
    return found


def _included_closed(proofs: Proofs) -> frozenset[str]:
    """Where the entries are said to stand of which the digest alone is shown, which is proven to be there."""
    for proof in proofs.closed:
        _check(proofs, proof.leaf, proof.index, proof.path)
    return frozenset(each.at for each in proofs.closed)


def _check(proofs: Proofs, leaf: bytes, index: int, path: Sequence[bytes]) -> None:
    one = proofs.checkpoint.checkpoint
    hashed, root = tree_hash(one.tree), bytes.fromhex(one.root)
    if not includes(hashed, leaf, index, one.size, path, root):
        where = f"{PROOFS}, index {index}"
        raise Faulty(Fault.PROOF_WRONG, where, "the proof of inclusion does not hold")
