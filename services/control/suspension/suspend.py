"""The kill switch: from the order to suspend to the receipt, step by step; whoever is killed is continued.

The order of the steps is the proof (docs/adr/0035-the-kill-switch.md). Each may be repeated, and before the
next one begins the journal says that it is done.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.control.policy_document import affected, with_hold
from services.control.suspension.acts import Act, ActWord
from services.control.suspension.bus import Bus
from services.control.suspension.journal import Journal
from services.control.suspension.receipt import (
    OUTSIDE,
    Again,
    HeldGrant,
    Receipt,
    Standing,
    Step,
    held_grant,
)
from topics.event import PolicyNumber
from topics.grants.declaration import Grant, GrantState
from topics.grants.hold import LONGEST_REASON, Hold, HoldScope, covers
from topics.names import copier_transactional_id, epochs
from topics.policy import Policy

Say = Callable[[str], None]


class NothingOfThatName(ValueError):  # noqa: N818 - says what is wrong
    """There is no grant, consumer or resource of that name; ``known`` names those that there are."""

    def __init__(self, scope: HoldScope, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no {scope.value} {name}")
        self.known = known


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants what suspended or resumed, and why.

    Raises:
        ValueError: nobody gives it, or no reason, or one that is too long.
    """

    scope: HoldScope
    name: str
    by: str
    reason: str
    standing: Standing = field(default_factory=Standing)
    of_case: bool = False
    """Whether the grant's own case gives it: then it is no order that the case must be told of."""

    def __post_init__(self) -> None:
        """Refuse an order that the policy could not hold, before anything is done."""
        if not self.by or not 0 < len(self.reason) <= LONGEST_REASON:
            raise ValueError(f"an order names who gives it and why, in {LONGEST_REASON} characters")


@dataclass(slots=True)
class Suspend:
    """Carries out suspensions on one bus."""

    bus: Bus
    journal: Journal
    clock_ms: Callable[[], int]
    say: Say
    _read: Policy | None = field(default=None)
    """The policy as it was read a moment ago: a grant that came since is closed with the next version."""

    def order(self, order: Order, new_id: str) -> Receipt:
        """Suspend; what is suspended already answers with the receipt that it has.

        Raises:
            NothingOfThatName: the policy knows nothing of that name.
            WithdrawalStuck, LedgerNotReady: run it again, it goes on from there.
        """
        ordered_ms = self.clock_ms()
        self._read = policy = self.bus.policy()
        require_known(policy, order.scope, order.name)
        begun = self._begun(order, policy) or self._in_force(order, policy)
        if begun is None:
            return self.carry_on(self._new(order, new_id, ordered_ms))
        return self.carry_on(self._again(begun, order, new_id, ordered_ms))

    def carry_on(self, receipt: Receipt) -> Receipt:
        """Do every step that is not done yet."""
        receipt = self._as_far_as_the_policy_says(receipt)
        steps: Mapping[Step, Callable[[Receipt], Receipt]] = {
            Step.READ_REMOVED: self._remove_readers,
            Step.POLICY_WRITTEN: self._write_policy,
            Step.ANSWERED: self._await_answers,
            Step.WRITE_DENIED: self._deny_writers,
            Step.FENCED: self._fence,
            Step.CUT: self._cut,
            Step.RECORDED: self._record,
        }
        for step, do in steps.items():
            if step not in receipt.steps:
                receipt = do(receipt).done(step, self.clock_ms())
                self.journal.save(receipt.id, receipt.saved())
                self.say(f"{receipt.id}: {_SAID[step]}")
        return receipt

    def _as_far_as_the_policy_says(self, receipt: Receipt) -> Receipt:
        """Writing is never denied to grants that deliver: where the hold is gone, it is placed once more."""
        written = Step.POLICY_WRITTEN in receipt.steps and not receipt.is_cut
        if not written or receipt.id in self.bus.policy().holds:
            return receipt
        kept = {Step.READ_REMOVED: receipt.steps[Step.READ_REMOVED]}
        return replace(receipt, steps=kept, acknowledgements=(), fenced=())

    def unfinished(self) -> list[Receipt]:
        """Suspensions that were begun and interrupted, the oldest first."""
        return [receipt for receipt in self._journalled() if not receipt.is_complete]

    def _journalled(self) -> list[Receipt]:
        found = [(key, self.journal.load(key)) for key in sorted(self.journal.keys())]
        return [Receipt.from_json(saved) for _, saved in found if saved is not None]

    def _begun(self, order: Order, policy: Policy) -> Receipt | None:
        """The same order, interrupted; not one that was lifted since, of which only the record is missing."""
        found = [one for one in self.unfinished() if (one.scope, one.name) == (order.scope, order.name)]
        same = [one for one in found if not one.is_cut or one.id in policy.holds]
        return same[0] if same else None

    def _in_force(self, order: Order, policy: Policy) -> Receipt | None:
        """The same order, carried out and not lifted; one whose journal is lost is carried out anew."""
        hold = hold_on(policy, order.scope, order.name)
        if hold is None:
            return None
        saved = self.journal.load(hold.id)
        return Receipt.from_json(saved) if saved is not None else _from_hold(hold, order.by)

    def _new(self, order: Order, new_id: str, ordered_ms: int) -> Receipt:
        receipt = Receipt(
            new_id, order.scope, order.name, order.by, order.reason, ordered_ms, standing=order.standing
        )
        self.journal.save(receipt.id, receipt.saved())
        return receipt

    def _again(self, found: Receipt, order: Order, new_id: str, ordered_ms: int) -> Receipt:
        """Note that it was ordered once more: a case may be about to lift it, and must not then.

        Who gives the order of another once more while it is not complete gives one of their own, too.
        """
        if order.of_case or (not found.is_complete and order.by == found.by):
            return found
        again = Again(new_id, order.by, order.reason, ordered_ms, order.standing)
        found = replace(found, again=(*found.again, again))
        self.journal.save(found.id, found.saved())
        return found

    def _remove_readers(self, receipt: Receipt) -> Receipt:
        """Before anything slower, and for all grants in one request."""
        policy, self._read = self._read or self.bus.policy(), None
        self._take_reading(receipt, policy)
        return receipt

    def _take_reading(self, receipt: Receipt, policy: Policy) -> None:
        entries = policy.grants.values()
        self._close(entry.grant for entry in entries if covers(receipt.scope, receipt.name, entry.grant))

    def _close(self, grants: Iterable[Grant]) -> None:
        topics = {topic for grant in grants for topic in (grant.topic, epochs(grant.id))}
        self.bus.remove_readers(sorted(topics))

    def _write_policy(self, receipt: Receipt) -> Receipt:
        def held(policy: Policy) -> Policy:
            return (
                policy if receipt.id in policy.holds else with_hold(policy, _hold(receipt), self.clock_ms())
            )

        policy = self.bus.write(held)
        # A grant that came into force since the rights were taken.
        self._take_reading(receipt, policy)
        entries = affected(policy, receipt.scope, receipt.name)
        grants = tuple(held_grant(entry, self.bus.partitions(entry, policy)) for entry in entries)
        number = policy.holds[receipt.id].since_version
        receipt = replace(receipt, policy_version=number, grants=grants)
        return replace(receipt, members=tuple(sorted(self.bus.members(receipt.groups()))))

    def _await_answers(self, receipt: Receipt) -> Receipt:
        answers = self.bus.answers(receipt.groups(), receipt.policy_version, receipt.members)
        found = [answers.acknowledged[instance] for instance in sorted(answers.acknowledged)]
        return replace(receipt, acknowledgements=tuple(found), fenced=tuple(sorted(answers.silent)))

    def _deny_writers(self, receipt: Receipt) -> Receipt:
        """Only now: a refused record fails a whole transaction of other grants."""
        entries = self.bus.policy().grants
        self.bus.deny_writers(entries[held.grant].grant for held in receipt.grants)
        return receipt

    def _fence(self, receipt: Receipt) -> Receipt:
        copiers = [copier_transactional_id(held.grant) for held in receipt.grants]
        self.bus.fence([*receipt.fenced, *copiers])
        return receipt

    def _cut(self, receipt: Receipt) -> Receipt:
        # Whoever gave a right back meanwhile, knowingly or not, does not keep it.
        self._take_reading(receipt, self.bus.policy())
        grants = tuple(replace(held, cut=self.bus.cut(held)) for held in receipt.grants)
        return replace(receipt, grants=grants)

    def _record(self, receipt: Receipt) -> Receipt:
        for held in receipt.grants:
            self.bus.keep_receipt(f"{held.grant}.{held.generation}", grant_receipt(receipt, held))
        self.bus.record(act_of(receipt))
        return receipt


_SAID: Final[Mapping[Step, str]] = {
    Step.READ_REMOVED: "no department may read it any more",
    Step.POLICY_WRITTEN: "the policy holds it",
    Step.ANSWERED: "the fan-out has answered, or its lease is over",
    Step.WRITE_DENIED: "nobody may write to it any more",
    Step.FENCED: "open transactions are ended",
    Step.CUT: "it is cut",
    Step.RECORDED: "the receipt stands in the ledger",
}


def require_known(policy: Policy, scope: HoldScope, name: str) -> None:
    """Refuse a name that the policy does not know.

    Raises:
        NothingOfThatName: it does not.
    """
    known: Mapping[HoldScope, Mapping[Any, object]] = {
        HoldScope.GRANT: policy.grants,
        HoldScope.CONSUMER: policy.consumers,
        HoldScope.RESOURCE: policy.resources,
    }
    if scope is not HoldScope.ALL and name not in known[scope]:
        raise NothingOfThatName(scope, name, tuple(sorted(known[scope])))


def hold_on(policy: Policy, scope: HoldScope, name: str) -> Hold | None:
    """The hold that was placed on just that, if it is in force."""
    same = [hold for hold in policy.holds.values() if (hold.scope, hold.name) == (scope, name)]
    return same[0] if same else None


def grant_receipt(receipt: Receipt, held: HeldGrant) -> dict[str, object]:
    """One grant's receipt of withdrawal, in the shape of every other withdrawal."""
    whole = receipt.as_json()
    return {
        "grant": held.grant,
        "consumer": held.consumer,
        "resource": held.resource,
        "topic": held.topic,
        "state": GrantState.SUSPENDED.value,
        "generation": held.generation,
        "policy_version": receipt.policy_version,
        "read_removed_ms": receipt.steps[Step.READ_REMOVED],
        "acknowledgements": [one for one in whole["acknowledgements"] if one["group"] == held.group],
        "fenced": [instance for instance in receipt.fenced if instance.startswith(f"{held.group}.")],
        "cut": held.as_json()["cut"],
        "cut_ms": receipt.steps[Step.CUT],
        "outside": OUTSIDE,
        "suspension": receipt.id,
    }


def act_of(receipt: Receipt) -> Act:
    """The suspension as an act of the ledger."""
    return Act(
        receipt.id,
        receipt.by,
        ActWord.SUSPEND,
        receipt.scope.value,
        receipt.name or receipt.scope.value,
        receipt.requested_ms,
        receipt.reason,
        receipt.as_json(),
    )


def _hold(receipt: Receipt) -> Hold:
    """Its version and its grants are given to it where it is written."""
    return Hold(
        id=receipt.id,
        scope=receipt.scope,
        name=receipt.name,
        reason=receipt.reason,
        since_ms=receipt.requested_ms,
        since_version=PolicyNumber(1),
    )


def _from_hold(hold: Hold, by: str) -> Receipt:
    return Receipt(hold.id, hold.scope, hold.name, by, hold.reason, hold.since_ms)
