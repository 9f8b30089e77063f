"""Verifies a receipt against a trust file, offline: what it says stands in the log and was allowed.

A block counts what became of a batch and not of each record. Where it says that every record of the batch had
the stated outcome, that is proven; else the block proves that some had, and which is the bus's signed word.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.evidence.allowing import Reading
from services.evidence.canonical import NotCanonical
from services.evidence.entries import ACTS, DELIVERY, POLICY, Entry, entry_from
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import tree_hash
from services.evidence.merkle import includes, leaf_hash
from services.evidence.receipt import RECEIPT, About, Proofs, Receipt, Stated, opened, proofs_of
from services.evidence.trust import Holder, Trust
from services.evidence.verifying import check_signed, check_witness

ACQUIRED: Final = "grants.acquired"
_FAN_OUT: Final = "fanout."
_CATCH_UP: Final = ".catch-up"
_OUTCOMES: Final = ("delivered", "tombstoned")


@dataclass(frozen=True, slots=True)
class Proven:
    """What the receipt says of one grant, with what the log says of it."""

    grant: str
    generation: int
    consumer: str
    purpose: str
    legal_basis: str
    outcome: str
    reason: str
    at: str
    block: str
    policy_version: int
    written_ms: int
    """The broker's time of the block: when it was written for the consumer."""
    each: bool
    """Whether the block says so of each of its records; else it says so of some, and the bus of this one."""
    acquired_ms: int | None
    """When a group of the consumer had committed past it at the latest; None where the receipt says none."""


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
    proofs = proofs_of(files)
    one = proofs.checkpoint.checkpoint
    check_signed(proofs.checkpoint, trust, f"checkpoint {one.number}")
    if receipt.made_ms < one.time_ms:
        raise Faulty(Fault.RANGE_NOT_COVERED, RECEIPT, "made before its checkpoint")
    check_witness([proofs.checkpoint], proofs.consistency, trust)
    entries = _included(proofs)
    proven = _Judging(receipt, entries).proven()
    return ReceiptVerdict(
        receipt=receipt,
        deliveries=proven,
        entries=len(entries),
        root=one.root,
        checkpoint=one.number,
        sealed_ms=one.time_ms,
        witness=trust.witness.checkpoint.number,
        holder=trust.holder,
    )


def _included(proofs: Proofs) -> dict[str, Entry]:
    """The entries by their coordinates, each proven to stand in the log."""
    one = proofs.checkpoint.checkpoint
    hashed, root = tree_hash(one.tree), bytes.fromhex(one.root)
    found: dict[str, Entry] = {}
    for proof in proofs.entries:
        where = f"proofs.jsonl, index {proof.index}"
        if not includes(hashed, leaf_hash(hashed, proof.text), proof.index, one.size, proof.path, root):
            raise Faulty(Fault.PROOF_WRONG, where, "the proof of inclusion does not hold")
        try:
            entry = entry_from(proof.text)
        except NotCanonical as error:
            raise Faulty(Fault.BUNDLE_MALFORMED, where, str(error)) from error
        found[str(entry)] = entry
    return found


class _Judging:
    """Holds what is stated against the entries."""

    def __init__(self, receipt: Receipt, entries: Mapping[str, Entry]) -> None:
        self._receipt, self._entries = receipt, entries
        self._reading = Reading()
        for entry in entries.values():
            if entry.topic == POLICY:
                self._reading.learn(entry, str(entry))

    def proven(self) -> list[Proven]:
        """Judge everything that is stated.

        Raises:
            Faulty: something does not hold, or a grant is left out.
        """
        for where in sorted({each.block for each in self._receipt.deliveries}):
            self._reading.read_alone(self._entry(where, DELIVERY))
        found = [self._one(stated) for stated in self._receipt.deliveries]
        named = {(each.block, each.grant, each.generation) for each in self._receipt.deliveries}
        if len(named) != len(found) or not found:
            raise Faulty(Fault.STATEMENT_WRONG, RECEIPT, "it states nothing, or one thing twice")
        if self._receipt.whole:
            self._require_whole()
        return found

    def _entry(self, where: str, topic: str) -> Entry:
        entry = self._entries.get(where)
        if entry is None or entry.topic != topic or entry.value is None:
            raise Faulty(Fault.PROOF_WRONG, where, "the receipt names it and does not prove it")
        return entry

    def _one(self, stated: Stated) -> Proven:
        where = f"{RECEIPT}, grant {stated.grant} generation {stated.generation}"
        block = self._entry(stated.block, DELIVERY)
        try:
            return self._held_against(stated, block, where)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, where, str(error)) from error

    def _held_against(self, stated: Stated, block: Entry, where: str) -> Proven:
        value: Mapping[str, Any] = block.value or {}
        about = self._receipt.about
        if not _covers(value, about):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{block} did not decide that record")
        count = next(
            (
                each
                for each in value["grants"]
                if (each["grant"], each["generation"]) == (stated.grant, stated.generation)
            ),
            None,
        )
        if count is None or not _says(count, stated):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{block} does not say so")
        grant = self._reading.grant(value["policy_version"], stated.grant)
        if grant.get("resource") not in (None, about.resource):
            raise Faulty(Fault.STATEMENT_WRONG, where, "the grant is of another resource")
        topic = f"sub.{grant.get('consumer')}.{about.resource}.{stated.grant}"
        if stated.at and not stated.at.startswith(f"{topic}:{about.partition}:"):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{stated.at} is not on the grant's topic")
        if bool(stated.at) is (stated.outcome == "withheld"):
            raise Faulty(Fault.STATEMENT_WRONG, where, "what was withheld stands nowhere, and all else does")
        acquired = [
            self._acquired(stated, each.act, each.group, each.committed, where) for each in stated.acquired
        ]
        return Proven(
            grant=stated.grant,
            generation=stated.generation,
            consumer=str(grant.get("consumer", "")),
            purpose=str(grant.get("purpose", "")),
            legal_basis=str(grant.get("legal_basis", "")),
            outcome=stated.outcome,
            reason=stated.reason,
            at=stated.at,
            block=stated.block,
            policy_version=value["policy_version"],
            written_ms=block.timestamp_ms,
            each=_says_of_each(count, stated),
            acquired_ms=min(acquired, default=None),
        )

    def _acquired(self, stated: Stated, act: str, group: str, committed: int, where: str) -> int:
        """When the act was written that says how far the group was."""
        entry = self._entry(act, ACTS)
        value: Mapping[str, Any] = entry.value or {}
        offset = int(stated.at.rsplit(":", 1)[-1])
        facts = json.loads(value["document"])
        name = f"{stated.grant}/{self._receipt.about.partition}/{group}"
        if value["what"] != ACQUIRED or facts.get(name) != committed or committed <= offset:
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{entry} does not say that {group} was past it")
        return entry.timestamp_ms

    def _require_whole(self) -> None:
        """Every grant that a block counts is stated, and so is a block of every group that has one."""
        about = self._receipt.about
        stated = {(each.block, each.grant, each.generation) for each in self._receipt.deliveries}
        live: set[str] = set()
        wanted: set[str] = set()
        for where in {each.block for each in self._receipt.deliveries}:
            value = self._entry(where, DELIVERY).value or {}
            group = str(value["group"])
            if group.startswith(_FAN_OUT) and not group.endswith(_CATCH_UP):
                live.add(group)
            wanted |= {
                _FAN_OUT + each for each in self._reading.groups(value["policy_version"], about.resource)
            }
            for count in value["grants"]:
                if (where, count["grant"], count["generation"]) not in stated:
                    raise Faulty(Fault.RECEIPT_INCOMPLETE, where, f"grant {count['grant']} is left out")
        if missing := sorted(wanted - live):
            raise Faulty(Fault.RECEIPT_INCOMPLETE, RECEIPT, f"no block of {', '.join(missing)}")


def _covers(block: Mapping[str, Any], about: About) -> bool:
    same = (block["topic"], block["partition"]) == (about.topic, about.partition)
    return bool(same and block["from_offset"] <= about.offset < block["to_offset"])


def _says(count: Mapping[str, Any], stated: Stated) -> bool:
    if stated.outcome == "withheld":
        withheld = count["withheld"]
        return bool(withheld.get(stated.reason, 0) if stated.reason else sum(withheld.values()))
    return stated.outcome in _OUTCOMES and not stated.reason and bool(count[stated.outcome])


def _says_of_each(count: Mapping[str, Any], stated: Stated) -> bool:
    total = count["delivered"] + count["tombstoned"] + sum(count["withheld"].values())
    if stated.outcome == "withheld":
        return bool(stated.reason) and count["withheld"].get(stated.reason, 0) == total
    return bool(count[stated.outcome] == total)
