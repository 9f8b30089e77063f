"""The policy versions that cases lead to: filled, active, noted, ended, imported; pure."""

from collections.abc import Collection, Mapping

from services.control.cases.provisioning import Fault
from services.control.policy_document import with_active_grant, with_grant_state, without_hold
from services.control.provisioning.ports import CannotProvide
from services.control.suspension.ids import is_of_case
from topics.event import GrantId, PolicyNumber
from topics.grants.declaration import Grant, GrantState
from topics.grants.hold import HoldScope
from topics.policy import CaseMark, GrantPolicy, Policy


def without_own_holds(policy: Policy, grant: GrantId, known: Collection[str] = ()) -> Policy:
    """The same version without the suspensions that the grant's own case has ordered, or knows by id."""
    on_grant = [each for each in policy.holds.values() if (each.scope, each.name) == (HoldScope.GRANT, grant)]
    for hold in [each for each in on_grant if is_of_case(each) or each.id in known]:
        policy = without_hold(policy, hold.id)
    return policy


def strange_holds(policy: Policy, grant: Grant, known: Collection[str] = ()) -> list[str]:
    """The ids of suspensions on a grant that its case neither ordered nor knows, and so does not lift."""
    held = policy.holds_on(grant)
    own = {each.id for each in held if each.scope is HoldScope.GRANT and each.id in known}
    return [hold.id for hold in held if not is_of_case(hold) and hold.id not in own]


def filling(
    policy: Policy, entry: GrantPolicy, mark: CaseMark, now_ms: int, lifts: Collection[str] = ()
) -> Policy:
    """The next version, in which the grant is being filled under a new generation.

    ``lifts`` are suspensions that the case knows: they are lifted with those that it ordered itself.

    Raises:
        CannotProvide: the bus is at a later event of the case: it was suspended or ended meanwhile.
    """
    known = policy.cases.get(entry.grant.id)
    if known is not None and known.event > mark.event:
        what = f"the bus is at event {known.event} of the case, this belongs to event {mark.event}"
        raise CannotProvide(what, "`govbus case show` says what came later", Fault.OVERTAKEN)
    lifted = without_own_holds(policy, entry.grant.id, lifts)
    return _following(lifted, {entry.grant.id: entry}, {entry.grant.id: mark}, now_ms)


def active(policy: Policy, begun: GrantPolicy, starts_at: Mapping[int, int], now_ms: int) -> Policy:
    """The next version, in which the grant that was filled is active.

    Raises:
        CannotProvide: it is not what was being filled: somebody suspended, withdrew or began it anew.
    """
    found = policy.grants.get(begun.grant.id)
    if found is None or found.generation != begun.generation or found.grant.state is not GrantState.FILLING:
        state = "gone" if found is None else f"{found.grant.state.value}, generation {found.generation}"
        what = f"grant {begun.grant.id} was changed while it was being filled: it is {state} now"
        raise CannotProvide(what, "look at `govbus grant list`; the back-fill is begun anew", Fault.OVERTAKEN)
    return with_active_grant(policy, begun.grant.id, starts_at, now_ms)


def noted(policy: Policy, grant: GrantId, mark: CaseMark, now_ms: int) -> Policy:
    """The next version, in which the case is carried out that far; the same where so much is said already."""
    known = policy.cases.get(grant)
    if not policy.by_cases or (known is not None and known.event >= mark.event):
        return policy
    return _following(policy, {}, {grant: mark}, now_ms)


def ended(policy: Policy, grant: GrantId, mark: CaseMark | None, now_ms: int) -> Policy:
    """The next version, in which the grant is revoked for good; the same where that is said already."""
    if policy.grants[grant].grant.state is GrantState.REVOKED and mark in (None, policy.cases.get(grant)):
        return policy
    revoked = with_grant_state(without_own_holds(policy, grant), {grant: GrantState.REVOKED}, now_ms)
    marks = {} if mark is None else {grant: mark}
    return revoked.model_copy(update={"cases": {**revoked.cases, **marks}})


def handed_over(policy: Policy, marks: Mapping[GrantId, CaseMark], now_ms: int) -> Policy:
    """The next version, from which on cases decide about grants; the same where it is so already."""
    if policy.by_cases and all(policy.cases.get(grant) == mark for grant, mark in marks.items()):
        return policy
    return _following(policy, {}, marks, now_ms).model_copy(update={"by_cases": True})


def delivering(policy: Policy) -> list[GrantPolicy]:
    """The grants under which something is written, in the order of their ids."""
    states = {GrantState.ACTIVE, GrantState.FILLING}
    return [entry for _, entry in sorted(policy.grants.items()) if entry.grant.state in states]


def _following(
    policy: Policy,
    grants: Mapping[GrantId, GrantPolicy],
    marks: Mapping[GrantId, CaseMark],
    now_ms: int,
) -> Policy:
    changes = {
        "version": PolicyNumber(policy.version + 1),
        "issued_ms": now_ms,
        "grants": {**policy.grants, **grants},
        "cases": {**policy.cases, **marks},
    }
    return policy.model_copy(update=changes)
