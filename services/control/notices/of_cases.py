"""What of a sharing case is told: every change of its state, complaints and replies, and failed steps."""

from collections.abc import Mapping
from typing import Final

from services.control.cases.case import Case
from services.control.cases.words import Action, Decides, State
from services.control.notices.event import Happened, Offices, Parties
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot

_BY_ACTION: Final[Mapping[Action, Kind]] = {
    Action.EXTEND: Kind.CASE_EXTENDED,
    Action.COMPLAIN: Kind.CASE_COMPLAINT,
    Action.REPLY: Kind.CASE_REPLIED,
    Action.STEP_FAILED: Kind.CASE_STEP_FAILED,
}
_BY_STATE: Final[Mapping[State, Kind]] = {
    State.SUBMITTED: Kind.CASE_SUBMITTED,
    State.PRECHECK: Kind.CASE_PRECHECK,
    State.DECIDING: Kind.CASE_DECIDING,
    State.RETURNED: Kind.CASE_RETURNED,
    State.APPROVED: Kind.CASE_APPROVED,
    State.REFUSED: Kind.CASE_REFUSED,
    State.NEGOTIATING: Kind.CASE_NEGOTIATING,
    State.ESCALATED: Kind.CASE_ESCALATED,
    State.REFUSED_FINALLY: Kind.CASE_REFUSED_FINALLY,
    State.PROVISIONING: Kind.CASE_PROVISIONING,
    State.ACTIVE: Kind.CASE_ACTIVE,
    State.SUSPENDED: Kind.CASE_SUSPENDED,
    State.TERMINATED: Kind.CASE_TERMINATED,
    State.EXPIRED: Kind.CASE_EXPIRED,
    State.WITHDRAWN: Kind.CASE_WITHDRAWN,
}
_BY_AUTHORITY: Final[Mapping[State, Kind]] = {
    State.DECIDING: Kind.CASE_DECIDING_BY_AUTHORITY,
    State.NEGOTIATING: Kind.CASE_NEGOTIATING_BY_AUTHORITY,
}
"""Where the rules of the case let the authority decide: it has to act, and not the provider."""


def kind_of(before: State, action: Action, after: State, decides: Decides = Decides.PROVIDER) -> Kind | None:
    """Of what kind a step of a case is; None where nobody is told, because nothing changed for anybody.

    A case that rises from one level to the next stays escalated, and one that is suspended once more stays
    suspended; that is told all the same.
    """
    if action in _BY_ACTION:
        return _BY_ACTION[action]
    if before is after and action not in (Action.ESCALATE, Action.SUSPEND):
        return None
    by_authority = _BY_AUTHORITY.get(after) if decides is Decides.AUTHORITY else None
    return by_authority or _BY_STATE.get(after)


def of_case(before: State, case: Case, offices: Offices) -> Happened | None:
    """What is told after the last event of a case.

    Args:
        before: the state before that event.
        case: the case with it.
        offices: the authority, and who runs the bus.
    """
    event = case.events[-1]
    kind = kind_of(before, event.action, case.state, case.opening.rules.decides)
    if kind is None:
        return None
    key = f"case:{case.opening.id}:{event.number}"
    return Happened(key, kind, event.when, _parties(case, offices), _facts(case))


def _parties(case: Case, offices: Offices) -> Parties:
    levels = case.opening.rules.dispute_levels
    ruling = levels[case.level - 1 : case.level] if case.state is State.ESCALATED else ()
    return {
        Audience.CONSUMER: (str(case.opening.applicant),),
        Audience.PROVIDER: (str(case.opening.provider),),
        Audience.AUTHORITY: tuple(dict.fromkeys((*offices.authority, *ruling))),
        Audience.OPERATOR: offices.operator,
    }


def _facts(case: Case) -> Mapping[Slot, Fact]:
    """Ids only: texts and reasons stand on the case, where rights are checked."""
    facts: dict[Slot, Fact] = {
        Slot.CASE: case.opening.id,
        Slot.GRANT: case.opening.grant,
        Slot.RESOURCE: case.application.resource,
        Slot.LEVEL: case.level,
    }
    step = case.events[-1].step
    return facts if step is None else facts | {Slot.STEP: step.value}
