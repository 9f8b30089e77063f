"""Conditions of actions beyond the table: what is given must fit the case, the entry and the day."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from services.control.cases.application import Application, application_problems, mode_problems
from services.control.cases.bounds import application_bounds, end_problems
from services.control.cases.case import STRONG, Case, Given
from services.control.cases.decision import (
    Approval,
    approval_problems,
    as_applied,
    is_narrower,
    width_problems,
)
from services.control.cases.grading import check_problems, grade_problems, needs_check, passes_by_itself
from services.control.cases.provisioning import Progress, done_steps, is_turn
from services.control.cases.words import Action, Actor, Problem, Role, State, StopReason
from topics.quality.values import CIVIL_TIME
from topics.resource import Resource, ShareType

Guard = Callable[[Case, Actor, date, Given], Iterator[Problem]]


def guard_problems(
    case: Case, action: Action, actor: Actor, now: datetime, given: Given
) -> tuple[Problem, ...]:
    """What is against an action that the table allows and whose demands are met."""
    guard = _GUARDS.get(action)
    return () if guard is None else tuple(guard(case, actor, now.astimezone(CIVIL_TIME).date(), given))


def _edit(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    """The parties of a case never change: who decides and who rules depends on them."""
    wanted = given.application or case.application
    yield from application_bounds(wanted, day)
    if wanted.applicant != case.opening.applicant:
        what = f"the case is one of {case.opening.applicant}"
        yield Problem("APPLICANT_FIXED", "applicant", what, "open another case")
    if wanted.resource != case.application.resource:
        what = f"the case is about {case.application.resource}"
        yield Problem("RESOURCE_FIXED", "resource", what, "open another case")


def _submit(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    yield from application_bounds(case.application, day)
    yield from _complete(case, case.application, day, given.resource)


def _supplement(case: Case, actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    yield from _edit(case, actor, day, given)
    yield from _complete(case, given.application or case.application, day, given.resource)


def _complete(
    case: Case, application: Application, day: date, resource: Resource | None
) -> Iterator[Problem]:
    yield from application_problems(application, resource, case.opening.rules, day)
    yield from _provider(case, resource)


def _provider(case: Case, resource: Resource | None) -> Iterator[Problem]:
    if resource is not None and resource.provider != case.opening.provider:
        what = f"{resource.id} is provided by {resource.provider} now"
        yield Problem("PROVIDER_CHANGED", "resource", what, "open another case")


def _request_precheck(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    yield from _conditional(case, given)
    if not needs_check(case, given.grades):
        yield Problem("NO_PRECHECK", "state", "the policy pack wants no pre-check", "request the decision")


def _request_decision(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    yield from _conditional(case, given)
    if needs_check(case, given.grades):
        what = "the policy pack wants a pre-check first"
        yield Problem("PRECHECK_FIRST", "state", what, "request the pre-check")


def _conditional(case: Case, given: Given) -> Iterator[Problem]:
    resource = given.resource
    if resource is not None and passes_by_itself(case, resource, given.grades):
        what, remedy = f"{resource.id} is shared unconditionally", "let it pass without a decision"
        yield Problem("NO_DECISION_NEEDED", "resource", what, remedy)


def _unconditional(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    if given.resource is None or not passes_by_itself(case, given.resource, given.grades):
        what = f"{case.application.resource} is not shared unconditionally, or the grade of an item asks more"
        yield Problem("DECISION_NEEDED", "resource", what, "request the decision")
    # What the entry and the policy pack ask for instead of a decision is asked once more.
    yield from _complete(case, case.application, day, given.resource)


def _approve(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    yield from mode_problems(case.application)
    yield from check_problems(case, given.grades)
    yield from _approvable(case, as_applied(case.application), day, given)


def _approve_in_part(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    if given.approval is None:
        return
    if not is_narrower(given.approval, case.application):
        what = "it gives all that was applied for"
        yield Problem("NOT_NARROWER", "approval", what, "approve as applied")
    yield from mode_problems(case.application)
    yield from check_problems(case, given.grades)
    yield from _approvable(case, given.approval, day, given)


def _uphold(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    """A ruling may give all or a part; what was never submitted is checked as a submission is."""
    if given.approval is None:
        return
    yield from _but_sharing(case, day, given.resource)
    yield from _approvable(case, given.approval, day, given)


def _but_sharing(case: Case, day: date, resource: Resource | None) -> Iterator[Problem]:
    """What is wrong with the application itself; that its entry is not shared is the dispute."""
    problems = application_problems(case.application, resource, case.opening.rules, day)
    yield from (problem for problem in problems if problem.code != "NOT_SHARED")


def _approvable(case: Case, approval: Approval, day: date, given: Given) -> Iterator[Problem]:
    if given.resource is None:
        return
    yield from end_problems(approval.end, day)
    yield from approval_problems(approval, case.application, given.resource, given.forms, day)
    yield from grade_problems(replace(approval, whole=given.whole), case.opening.rules, given.grades)
    yield from _provider(case, given.resource)


def _appeal(case: Case, _actor: Actor, day: date, given: Given) -> Iterator[Problem]:
    """Against a refusal, or from the draft against an entry that is not shared (requirement A6-11)."""
    if case.state is not State.DRAFT or given.resource is None:
        return
    if given.resource.share_type is not ShareType.NOT_SHARED:
        what = f"{given.resource.id} is shared"
        yield Problem("NOT_REFUSED", "resource", what, "submit the application")
    yield from _but_sharing(case, day, given.resource)
    yield from _provider(case, given.resource)


def _escalate(case: Case, _actor: Actor, _day: date, _given: Given) -> Iterator[Problem]:
    if case.level >= len(case.opening.rules.dispute_levels):
        what = f"the policy pack knows no level above {case.level}"
        yield Problem("NO_HIGHER_LEVEL", "state", what, "wait for the ruling, or complain")


def _step_turn(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    if given.step is not None and not is_turn(case.steps, given.step):
        what = f"{given.step.value} is not the next step"
        yield Problem("STEP_OUT_OF_TURN", "step", what, "do the steps in their order; retry a failed one")


def _step_retry(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    found = None if given.step is None else case.step(given.step)
    if found is None or found.progress is not Progress.FAILED:
        yield Problem("STEP_NOT_FAILED", "step", "the step has not failed", "retry only failed steps")


def _activate(case: Case, _actor: Actor, day: date, _given: Given) -> Iterator[Problem]:
    left = [each.step.value for each in case.steps if each.progress is not Progress.DONE]
    if left or not case.steps:
        what = f"not done: {', '.join(left)}"
        yield Problem("STEPS_LEFT", "steps", what, "carry out or retry them, or roll back")
    if case.approval is not None and day > case.approval.end:
        yield Problem("DAYS_PAST", "end", f"it ended on {case.approval.end}", "let it expire")


def _roll_back(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    left = sorted(done_steps(case.steps) - frozenset(given.undone))
    if left:
        what = f"not taken back: {', '.join(left)}"
        yield Problem("UNDO_INCOMPLETE", "undone", what, "take back every step that was done")
    extra = sorted(frozenset(given.undone) - done_steps(case.steps))
    if extra:
        what = f"never done: {', '.join(extra)}"
        yield Problem("UNDO_UNKNOWN", "undone", what, "name only steps that were done")


def _resume(case: Case, actor: Actor, day: date, _given: Given) -> Iterator[Problem]:
    if case.suspended_by in STRONG and actor.role is not Role.AUTHORITY:
        what = "the authority or the kill switch suspended it"
        yield Problem("SUSPENDED_BY_AUTHORITY", "role", what, "ask the authority to resume it")
    if case.approval is not None and day > case.approval.end:
        yield Problem("DAYS_PAST", "end", f"it ended on {case.approval.end}", "apply for its renewal")


def _terminate(_case: Case, actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    """The control plane ends a case only with its resource, which was announced to its parties."""
    if actor.role is Role.SYSTEM and given.stop_reason is not StopReason.RESOURCE_ENDED:
        what = "the control plane ends a case only with its resource"
        yield Problem("RESOURCE_STANDS", "stop_reason", what, "let a party of the case terminate it")


def _expire(case: Case, _actor: Actor, day: date, _given: Given) -> Iterator[Problem]:
    if case.approval is not None and day <= case.approval.end:
        what = f"its last day is {case.approval.end}"
        yield Problem("NOT_EXPIRED", "end", what, "wait until it is over, or terminate it")


def _import(case: Case, _actor: Actor, _day: date, given: Given) -> Iterator[Problem]:
    """Only what was opened for it, and never wider than what the grant is said to be."""
    if case.events:
        what = "somebody has worked on this draft"
        yield Problem("NOT_OPENED_FOR_IMPORT", "state", what, "let it be submitted and decided")
    if given.approval is not None:
        yield from width_problems(given.approval, case.application)


def _reply(case: Case, _actor: Actor, _day: date, _given: Given) -> Iterator[Problem]:
    if case.open_complaints == 0:
        yield Problem("NO_COMPLAINT", "state", "no complaint is open", "nothing is to be replied to")


_GUARDS: Final[Mapping[Action, Guard]] = {
    Action.EDIT: _edit,
    Action.SUBMIT: _submit,
    Action.SUPPLEMENT: _supplement,
    Action.REQUEST_PRECHECK: _request_precheck,
    Action.REQUEST_DECISION: _request_decision,
    Action.ACCEPT_UNCONDITIONAL: _unconditional,
    Action.APPROVE: _approve,
    Action.APPROVE_IN_PART: _approve_in_part,
    Action.UPHOLD: _uphold,
    Action.APPEAL: _appeal,
    Action.ESCALATE: _escalate,
    Action.STEP_DONE: _step_turn,
    Action.STEP_FAILED: _step_turn,
    Action.RETRY_STEP: _step_retry,
    Action.ACTIVATE: _activate,
    Action.ROLL_BACK: _roll_back,
    Action.RESUME: _resume,
    Action.TERMINATE: _terminate,
    Action.EXPIRE: _expire,
    Action.REPLY: _reply,
    Action.IMPORT: _import,
}
