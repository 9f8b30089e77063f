"""What follows by itself from an action: the next step of the control plane, and what the grant needs."""

from typing import Final

from services.control.cases.case import Case
from services.control.cases.grading import UNGRADED, Grades, needs_check, passes_by_itself
from services.control.cases.granting import DELIVERING, grant_of, missing_problems
from services.control.cases.provisioning import Progress
from services.control.cases.words import SERVED, Action, Actor, Role, State
from services.control.docket.requests import GrantRequest, Wanted
from topics.resource import Resource

SYSTEM: Final = Actor("control", Role.SYSTEM, "")
"""The control plane itself."""
_BEGUN: Final = frozenset({Action.PROVISION, Action.RESUME})
_SERVED: Final = frozenset({State.PROVISIONING, State.ACTIVE, State.SUSPENDED})
_WANTED: Final = {
    State.PROVISIONING: Wanted.PROVIDE,
    State.ACTIVE: Wanted.OPEN,
    State.SUSPENDED: Wanted.SUSPEND,
}


def next_action(case: Case, resource: Resource | None, grades: Grades = UNGRADED) -> Action | None:
    """What the control plane does next by itself; None where it is somebody's turn."""
    match case.state:
        case State.SUBMITTED if resource is not None:
            if passes_by_itself(case, resource, grades):
                return Action.ACCEPT_UNCONDITIONAL
            return Action.REQUEST_PRECHECK if needs_check(case, grades) else Action.REQUEST_DECISION
        case State.APPROVED:
            return Action.PROVISION
        case State.PROVISIONING if all(each.progress is Progress.DONE for each in case.steps):
            return Action.ACTIVATE
        case _:
            return None


def provisioning_round(case: Case) -> int | None:
    """The number of the event that began the provisioning that is or was under way last."""
    numbers = [event.number for event in case.events if event.action in _BEGUN]
    return numbers[-1] if numbers else None


def request_for(
    before: Case, after: Case, resource: Resource | None, grades: Grades = UNGRADED
) -> GrantRequest | None:
    """What has to be asked of the provisioner because of the last event; None where nothing."""
    retried = after.events[-1].action is Action.RETRY_STEP
    if not retried and (before.state is after.state or not {before.state, after.state} & _SERVED):
        return None
    grant = None if resource is None else grant_of(after, resource, grades)
    pending = (each.step.value for each in after.steps if each.progress is not Progress.DONE)
    provides = after.state is State.PROVISIONING
    return GrantRequest(
        case=after.opening.id,
        round=provisioning_round(after) or 0,
        event=after.events[-1].number,
        when=after.events[-1].when,
        wanted=_WANTED.get(after.state, Wanted.END),
        id=after.opening.grant,
        mode=after.application.mode,
        grant=grant,
        steps=tuple(pending) if provides else (),
        excess=() if grant is not None else _excess(after, resource, grades),
    )


def _excess(case: Case, resource: Resource | None, grades: Grades) -> tuple[str, ...]:
    """Why a case that shall deliver has no grant."""
    if case.state not in DELIVERING or case.application.mode not in SERVED:
        return ()
    if resource is None:
        return ("RESOURCE_UNKNOWN",)
    return tuple(dict.fromkeys(problem.code for problem in missing_problems(case, resource, grades)))
