"""Orders of the kill switch as a page gives them: whose they are, whether meant, and how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.control.cases.words import StopReason
from services.control.suspension.receipt import Standing, Step
from services.control.suspension.switch import Progress, Verb, Work
from topics.event import GrantId, ResourceId
from topics.grants.hold import LONGEST_REASON, HoldScope, covers
from topics.policy import GrantPolicy, Policy

_SUSPENDING: Final[Mapping[HoldScope, Action]] = {
    HoldScope.GRANT: Action.KILL_GRANT,
    HoldScope.CONSUMER: Action.KILL_CONSUMER,
    HoldScope.RESOURCE: Action.KILL_RESOURCE,
    HoldScope.ALL: Action.KILL_ALL,
}

KILLS: Final = tuple(_SUSPENDING.values())
"""What one may be allowed at the switch, one scope each."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a form is about: a verb on one grant, consumer or resource, or on all."""

    verb: Verb
    scope: HoldScope
    name: str

    @property
    def action(self) -> Action:
        """What one has to be allowed for it."""
        return _SUSPENDING[self.scope] if self.verb is Verb.SUSPEND else Action.KILL_RESUME

    @property
    def resumes_grant(self) -> bool:
        """Whether one grant shall be resumed: that its case does, if it has one."""
        return self.verb is Verb.RESUME and self.scope is HoldScope.GRANT

    @property
    def typed(self) -> str:
        """What somebody types to say that just this is meant."""
        return self.name or HoldScope.ALL.value


@dataclass(frozen=True, slots=True)
class StepShown:
    """One of the seven steps: when it was done, and how long after the order."""

    step: Step
    done_ms: int | None
    after_ms: int | None
    is_next: bool


def meant(verb: str, scope: str, name: str) -> Meant | None:
    """What an address or a form says; None where it says nothing that there is."""
    try:
        found = Meant(Verb(verb or Verb.SUSPEND), HoldScope(scope), name.strip())
    except ValueError:
        return None
    return found if (found.scope is HoldScope.ALL) == (found.name == "") else None


def is_known(policy: Policy, wanted: Meant) -> bool:
    """Whether the policy knows what is meant."""
    names: Mapping[HoldScope, Any] = {
        HoldScope.GRANT: policy.grants,
        HoldScope.CONSUMER: policy.consumers,
        HoldScope.RESOURCE: policy.resources,
    }
    return wanted.scope is HoldScope.ALL or wanted.name in names[wanted.scope]


def whose_order(policy: Policy | None, scope: HoldScope, name: str) -> Whose:
    """The departments that an order is about; of what the policy does not know there are none."""
    if scope is HoldScope.CONSUMER:
        return Whose(consumer=name)
    if policy is None or scope is HoldScope.ALL:
        return Whose()
    if scope is HoldScope.RESOURCE:
        return Whose(provider=_provider(policy, ResourceId(name)))
    entry = policy.grants.get(GrantId(name))
    if entry is None:
        return Whose()
    return Whose(_provider(policy, entry.grant.resource), entry.grant.consumer)


def standing_of(principal: Principal, wanted: Meant, whose: Whose, stop: str) -> Standing:
    """What the case of a grant is told besides: in which role it was ordered, and which reason was chosen."""
    allowed = may_person(principal, wanted.action, whose)
    role = allowed.role.value if isinstance(allowed, Allowed) else ""
    chosen = stop if stop in {each.value for each in StopReason} else ""
    return Standing(role, principal.department, chosen)


def covered(policy: Policy, wanted: Meant) -> list[GrantPolicy]:
    """The grants that an order is about, by name."""
    found = [each for each in policy.grants.values() if covers(wanted.scope, wanted.name, each.grant)]
    return sorted(found, key=lambda entry: entry.grant.id)


def order_problems(wanted: Meant, reason: str, typed: str) -> tuple[str, ...]:
    """Which fields of the form keep the order from being carried out."""
    found = []
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        found.append("reason")
    if typed.strip() != wanted.typed:
        found.append("confirm")
    return tuple(found)


def steps_of(work: Work) -> list[StepShown]:
    """The seven steps of a suspension, as far as they have come."""
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


def cuts_of(document: Mapping[str, Any] | None) -> Sequence[tuple[str, str, int]]:
    """Grant, partition and the offset at which its topic is cut."""
    grants = (document or {}).get("grants", [])
    return [
        (str(held["grant"]), str(partition), int(offset))
        for held in grants
        if isinstance(held, Mapping)
        for partition, offset in sorted(held["cut"].items(), key=lambda each: int(each[0]))
    ]


def _provider(policy: Policy, resource: ResourceId) -> str | None:
    entry = policy.resources.get(resource)
    return None if entry is None else entry.resource.provider
