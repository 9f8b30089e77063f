"""Holds what a receipt states against the entries that it shows.

A block counts what became of a batch and not of each record. Where it says that every record of the batch had
the stated outcome, that is proven; else the block proves that some had, and which is the bus's signed word.
What an entry says that is not shown is the bus's signed word as a whole.
"""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from services.evidence.allowing import Reading
from services.evidence.entries import ACTS, DELIVERY, POLICY, Entry
from services.evidence.faults import Fault, Faulty
from services.evidence.receipt import RECEIPT, About, Acquired, Receipt, Stated, Terms

ACQUIRED: Final = "grants.acquired"
_FAN_OUT: Final = "fanout."
_CATCH_UP: Final = ".catch-up"
_WITHHELD: Final = "withheld"
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
    block_shown: bool
    """Whether the block is shown; else its digest is, and the outcome is the bus's word."""
    policy_shown: bool
    """Whether the policy is shown; else its digest is, and that it allowed this is the bus's word."""


class Judging:
    """Judges one receipt.

    Args:
        receipt: what it states.
        entries: what it shows, by coordinates; each is proven to stand in the log.
        closed: the coordinates of what it shows the digests of.
    """

    def __init__(self, receipt: Receipt, entries: Mapping[str, Entry], closed: Set[str]) -> None:
        self._receipt, self._entries, self._closed = receipt, entries, closed
        self._reading = Reading()
        for entry in entries.values():
            if entry.topic == POLICY:
                self._reading.learn(entry, str(entry))

    def proven(self) -> list[Proven]:
        """Judge everything that is stated.

        Raises:
            Faulty: something does not hold, or a grant is left out.
        """
        found = [self._one(stated) for stated in self._receipt.deliveries]
        named = {(each.block, each.grant, each.generation) for each in self._receipt.deliveries}
        if len(named) != len(found) or not found:
            raise Faulty(Fault.STATEMENT_WRONG, RECEIPT, "it states nothing, or one thing twice")
        if self._receipt.whole:
            self._check_whole()
        return found

    def _one(self, stated: Stated) -> Proven:
        where = f"{RECEIPT}, grant {stated.grant} generation {stated.generation}"
        block = self._entry(stated.block, DELIVERY)
        try:
            return self._by_word(stated, where) if block is None else self._by_block(stated, block, where)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, where, str(error)) from error

    def _by_block(self, stated: Stated, block: Entry, where: str) -> Proven:
        """Judge by the block, and by the policy where that is shown too."""
        value: Mapping[str, Any] = block.value or {}
        shown = self._shows_policy(stated)
        if shown:
            self._reading.read_alone(block)
        count = _count(value, stated)
        if not _covers(value, self._receipt.about) or count is None or not _says(count, stated):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{block} does not say so of that record")
        terms = self._terms(stated, block, where) if shown else self._said(stated)
        if (terms.policy_version, terms.written_ms) != (value["policy_version"], block.timestamp_ms):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{block} was decided at another time or policy")
        return self._proven(stated, terms, where, each=_says_of_each(count, stated), block=True, policy=shown)

    def _by_word(self, stated: Stated, where: str) -> Proven:
        """Take what is stated of a block that is not shown."""
        if stated.outcome not in (*_OUTCOMES, _WITHHELD) or (stated.reason and stated.outcome != _WITHHELD):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"no record has the outcome {stated.outcome}")
        terms = self._said(stated)
        return self._proven(stated, terms, where, each=False, block=False, policy=False)

    def _proven(
        self, stated: Stated, terms: Terms, where: str, *, each: bool, block: bool, policy: bool
    ) -> Proven:
        self._check_place(stated, terms.consumer, where)
        acquired = [self._acquired(stated, one, where) for one in stated.acquired]
        return Proven(
            grant=stated.grant,
            generation=stated.generation,
            consumer=terms.consumer,
            purpose=terms.purpose,
            legal_basis=terms.legal_basis,
            outcome=stated.outcome,
            reason=stated.reason,
            at=stated.at,
            block=stated.block,
            policy_version=terms.policy_version,
            written_ms=terms.written_ms,
            each=each,
            acquired_ms=min(acquired, default=None),
            block_shown=block,
            policy_shown=policy,
        )

    def _check_place(self, stated: Stated, consumer: str, where: str) -> None:
        """The consumer's record stands on the topic of the grant, and nowhere where it was withheld."""
        about = self._receipt.about
        topic = f"sub.{consumer}.{about.resource}.{stated.grant}"
        if stated.at and not stated.at.startswith(f"{topic}:{about.partition}:"):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{stated.at} is not on the grant's topic")
        if bool(stated.at) is (stated.outcome == _WITHHELD):
            raise Faulty(Fault.STATEMENT_WRONG, where, "what was withheld stands nowhere, and all else does")

    def _terms(self, stated: Stated, block: Entry, where: str) -> Terms:
        """What the shown policy says of the grant."""
        version: int = (block.value or {})["policy_version"]
        grant = self._reading.grant(version, stated.grant)
        if grant.get("resource") not in (None, self._receipt.about.resource):
            raise Faulty(Fault.STATEMENT_WRONG, where, "the grant is of another resource")
        texts = {name: str(grant.get(name, "")) for name in ("consumer", "purpose", "legal_basis")}
        return Terms(policy_version=version, policy="", written_ms=block.timestamp_ms, **texts)

    def _said(self, stated: Stated) -> Terms:
        """What is stated of block and policy."""
        if stated.terms is None:
            raise Faulty(Fault.PROOF_WRONG, stated.block, "the receipt names it and does not prove it")
        self._entry(stated.terms.policy, POLICY)
        return stated.terms

    def _shows_policy(self, stated: Stated) -> bool:
        return stated.terms is None or self._entry(stated.terms.policy, POLICY) is not None

    def _entry(self, where: str, topic: str) -> Entry | None:
        """What stands there; None where only its digest is shown.

        Raises:
            Faulty: neither is.
        """
        entry = self._entries.get(where)
        if entry is None and where in self._closed and where.startswith(f"{topic}:"):
            return None
        if entry is None or entry.topic != topic or entry.value is None:
            raise Faulty(Fault.PROOF_WRONG, where, "the receipt names it and does not prove it")
        return entry

    def _acquired(self, stated: Stated, one: Acquired, where: str) -> int:
        """When the act was written that says how far the group was."""
        entry = self._entry(one.act, ACTS)
        if one.committed <= int(stated.at.rsplit(":", 1)[-1]):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{one.group} was not past it")
        if entry is None:
            return _stated_time(one)
        value: Mapping[str, Any] = entry.value or {}
        name = f"{stated.grant}/{self._receipt.about.partition}/{one.group}"
        if value["what"] != ACQUIRED or json.loads(value["document"]).get(name) != one.committed:
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{entry} does not say that {one.group} was past it")
        if one.seen_ms not in (None, entry.timestamp_ms):
            raise Faulty(Fault.STATEMENT_WRONG, where, f"{entry} was written at another time")
        return entry.timestamp_ms

    def _check_whole(self) -> None:
        try:
            self._require_whole()
        except (KeyError, TypeError, AttributeError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, RECEIPT, f"no decision block: {error}") from error

    def _require_whole(self) -> None:
        """Every grant that a shown block counts is stated, and so is a block of every group that has one."""
        about = self._receipt.about
        stated = {(each.block, each.grant, each.generation) for each in self._receipt.deliveries}
        live: set[str] = set()
        wanted: set[str] = set()
        for each in self._receipt.deliveries:
            block = self._entry(each.block, DELIVERY)
            if block is None:
                continue
            value: Mapping[str, Any] = block.value or {}
            group = str(value["group"])
            if group.startswith(_FAN_OUT) and not group.endswith(_CATCH_UP):
                live.add(group)
            if self._shows_policy(each):
                groups = self._reading.groups(value["policy_version"], about.resource)
                wanted |= {_FAN_OUT + name for name in groups}
            for count in value["grants"]:
                if (each.block, count["grant"], count["generation"]) not in stated:
                    left_out = f"grant {count['grant']} is left out"
                    raise Faulty(Fault.RECEIPT_INCOMPLETE, each.block, left_out)
        if missing := sorted(wanted - live):
            raise Faulty(Fault.RECEIPT_INCOMPLETE, RECEIPT, f"no block of {', '.join(missing)}")


def _count(block: Mapping[str, Any], stated: Stated) -> Mapping[str, Any] | None:
    """What the block counts of the grant's generation."""
    named = (stated.grant, stated.generation)
    return next((each for each in block["grants"] if (each["grant"], each["generation"]) == named), None)


def _covers(block: Mapping[str, Any], about: About) -> bool:
    same = (block["topic"], block["partition"]) == (about.topic, about.partition)
    return bool(same and block["from_offset"] <= about.offset < block["to_offset"])


def _says(count: Mapping[str, Any], stated: Stated) -> bool:
    if stated.outcome == _WITHHELD:
        withheld = count["withheld"]
        return bool(withheld.get(stated.reason, 0) if stated.reason else sum(withheld.values()))
    return stated.outcome in _OUTCOMES and not stated.reason and bool(count[stated.outcome])


def _says_of_each(count: Mapping[str, Any], stated: Stated) -> bool:
    total = count["delivered"] + count["tombstoned"] + sum(count["withheld"].values())
    if stated.outcome == _WITHHELD:
        return bool(stated.reason) and count["withheld"].get(stated.reason, 0) == total
    return bool(count[stated.outcome] == total)


def _stated_time(one: Acquired) -> int:
    if one.seen_ms is None:
        raise Faulty(Fault.PROOF_WRONG, one.act, "the receipt names it and does not prove it")
    return one.seen_ms
