"""The kill switch as pages and the API work it: whose an order is, owed before it runs, and how far it is.

An order runs in a thread of the process that took it; who asks for it reads the journal. The policy by which
rights are judged comes from the caller: a page keeps the one that it read a moment ago.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.control.cases.words import StopReason
from services.control.owners import SUSPENDING, knows, whose_order
from services.control.store.outbox import Act, append
from services.control.suspension.ids import new_id, ordered_at
from services.control.suspension.receipt import Standing, Step
from services.control.suspension.suspend import Order
from services.control.suspension.switch import Progress, Verb, Work
from topics.grants.hold import Hold, HoldScope, covers
from topics.policy import GrantPolicy, Policy

_MEANT_FOR: Final = timedelta(minutes=2)
KILLS: Final = tuple(SUSPENDING.values())
"""What one may be allowed at the switch, one scope each."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What somebody asks for: a verb on one grant, consumer or resource, or on all."""

    verb: Verb
    scope: HoldScope
    name: str

    @property
    def action(self) -> Action:
        """What one has to be allowed for it."""
        return SUSPENDING[self.scope] if self.verb is Verb.SUSPEND else Action.KILL_RESUME

    @property
    def resumes_grant(self) -> bool:
        """Whether one grant shall be resumed: that its case does, if it has one."""
        return self.verb is Verb.RESUME and self.scope is HoldScope.GRANT

    @property
    def typed(self) -> str:
        """The name of what is meant, also where that is everything."""
        return self.name or HoldScope.ALL.value


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order with its reason.

    Args:
        meant: what it is about.
        reason: why, in words.
        shrinks: grants whose epoch may remove much of what it delivered.
        stop: one of the reasons for which cases are stopped; None where none was chosen.
    """

    meant: Meant
    reason: str
    shrinks: tuple[str, ...] = ()
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class StepShown:
    """One of the seven steps: when it was done, and how long after the order."""

    step: Step
    done_ms: int | None
    after_ms: int | None
    is_next: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The suspensions in force and the orders that were interrupted, as far as somebody sees them."""

    holds: tuple[tuple[Hold, Whose], ...]
    """The newest first, each with its departments."""
    unfinished: tuple[Work, ...]


def meant(verb: str, scope: str, name: str) -> Meant | None:
    """What an address or a form says; None where it says nothing that there is."""
    try:
        found = Meant(Verb(verb or Verb.SUSPEND), HoldScope(scope), name.strip())
    except ValueError:
        return None
    return found if (found.scope is HoldScope.ALL) == (found.name == "") else None


def overview(parts: Parts, principal: Principal, policy: Policy | None) -> Overview:
    """What holds now and what nobody carries on.

    Raises:
        AnswerProblem: somebody may look at no receipt at all.
    """
    permit(parts, principal, Action.GRANT_RECEIPT, own(principal))
    holds = [] if policy is None else sorted(policy.holds.values(), key=lambda hold: -hold.since_ms)
    owned = [(hold, whose_order(policy, hold.scope, hold.name)) for hold in holds]
    return Overview(
        tuple((hold, whose) for hold, whose in owned if sees(principal, Action.GRANT_RECEIPT, whose)),
        tuple(work for work in parts.switch.unfinished() if _may_see(principal, work, policy)),
    )


def require_order(parts: Parts, principal: Principal, policy: Policy | None, wanted: Meant) -> None:
    """Let somebody through who may give this order.

    Raises:
        AnswerProblem: somebody may not.
    """
    permit(parts, principal, wanted.action, whose_order(policy, wanted.scope, wanted.name))


def owed(
    parts: Parts, principal: Principal, connection: Connection, policy: Policy | None, wanted: Wanted
) -> str:
    """Owe an order to the ledger, and return the id under which it is to be begun.

    An order that nobody answers for is not carried out: ``begin`` it once this is committed.

    Raises:
        AnswerProblem: somebody may not, or the policy knows nothing of that name.
    """
    what, now = wanted.meant, parts.clock()
    require_order(parts, principal, policy, what)
    if policy is None or not is_known(policy, what):
        raise AnswerProblem(Code.NOT_FOUND)
    prefix = "s" if what.verb is Verb.SUSPEND else "r"
    id_ = new_id(prefix, int(now.timestamp() * 1000), parts.random(3))
    facts = {"verb": what.verb.value, "work": id_, "department": principal.department}
    act = Act(principal.person, what.action.value, what.scope.value, what.typed, now, wanted.reason, facts)
    append(connection, act)
    return id_


def begin(parts: Parts, principal: Principal, policy: Policy | None, wanted: Wanted, id_: str) -> Work:
    """Carry an order out that is owed; one that was begun under this id before goes on as it does."""
    known = parts.switch.find(id_)
    if known is not None:
        return known
    what = wanted.meant
    standing = _standing(principal, wanted, whose_order(policy, what.scope, what.name))
    order = Order(what.scope, what.name, principal.person, wanted.reason, standing)
    if what.verb is Verb.SUSPEND:
        return parts.switch.suspend(order, id_)
    return parts.switch.resume(order, id_, wanted.shrinks)


def may_still_begin(parts: Parts, id_: str) -> bool:
    """Whether an order that was taken and never begun is young enough to be meant still."""
    return parts.clock() - ordered_at(id_) <= _MEANT_FOR


def found(parts: Parts, principal: Principal, policy: Policy | None, id_: str) -> Work:
    """One order, for whoever gave it and for those who may see receipts of what it is about.

    Raises:
        AnswerProblem: there is none, or somebody may not see it.
    """
    work = parts.switch.find(id_)
    if work is None:
        permit(parts, principal, Action.GRANT_RECEIPT, own(principal))
        raise AnswerProblem(Code.NOT_FOUND)
    if not _may_see(principal, work, policy):
        whose = whose_order(policy, work.order.scope, work.order.name)
        permit(parts, principal, Action.GRANT_RECEIPT, whose)
    return work


def _standing(principal: Principal, wanted: Wanted, whose: Whose) -> Standing:
    """What the case of a grant is told besides: in which role it was ordered, and which reason was chosen."""
    allowed = may_person(principal, wanted.meant.action, whose)
    role = allowed.role.value if isinstance(allowed, Allowed) else ""
    return Standing(role, principal.department, "" if wanted.stop is None else wanted.stop.value)


def is_known(policy: Policy, wanted: Meant) -> bool:
    """Whether the policy knows what is meant."""
    return knows(policy, wanted.scope, wanted.name)


def covered(policy: Policy, wanted: Meant) -> list[GrantPolicy]:
    """The grants that an order is about, by name."""
    held = [each for each in policy.grants.values() if covers(wanted.scope, wanted.name, each.grant)]
    return sorted(held, key=lambda entry: entry.grant.id)


def steps_of(work: Work) -> list[StepShown]:
    """The seven steps of a suspension, as far as they have come; a resumption has none."""
    if work.verb is not Verb.SUSPEND:
        return []
    document = work.document or {}
    done: Mapping[str, int] = document.get("steps", {})
    waiting = [step for step in Step if step.value not in done]
    running = work.progress is Progress.RUNNING
    return [
        StepShown(
            step,
            done.get(step.value),
            done[step.value] - document["requested_ms"] if step.value in done else None,
            running and bool(waiting) and step is waiting[0],
        )
        for step in Step
    ]


def cuts_of(work: Work) -> Sequence[tuple[str, str, int]]:
    """Grant, partition and the offset at which its topic is cut; a resumption cuts nothing."""
    return cuts_in(work.document or {}) if work.verb is Verb.SUSPEND else ()


def cuts_in(document: Mapping[str, Any]) -> Sequence[tuple[str, str, int]]:
    """The same of a receipt."""
    return [
        (str(held["grant"]), str(partition), int(offset))
        for held in document.get("grants", ())
        if isinstance(held, Mapping)
        for partition, offset in sorted(held["cut"].items(), key=lambda each: int(each[0]))
    ]


def _may_see(principal: Principal, work: Work, policy: Policy | None) -> bool:
    whose = whose_order(policy, work.order.scope, work.order.name)
    return work.order.by == principal.person or sees(principal, Action.GRANT_RECEIPT, whose)
