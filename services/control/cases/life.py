"""Take an action on a case: table, who asks, what is given and guards are asked, then it is an event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.cases.bounds import text_problems
from services.control.cases.case import Case, Event, Given, evolved
from services.control.cases.guards import guard_problems
from services.control.cases.parties import party_problem
from services.control.cases.table import TRANSITIONS, Demand
from services.control.cases.words import Action, Actor, Problem, Role, State

_STOPS: Final = frozenset({Action.SUSPEND, Action.TERMINATE})
_GIVES: Final = frozenset({Action.APPROVE, Action.APPROVE_IN_PART, Action.UPHOLD})


@dataclass(frozen=True, slots=True)
class Refused:
    """The action did not take place, and nothing has changed."""

    action: Action
    state: State
    problems: tuple[Problem, ...]


def apply(case: Case, action: Action, actor: Actor, now: datetime, given: Given) -> Case | Refused:
    """Take an action, or say everything that is against it.

    An event is never before the last one. Stopping must be possible whatever a clock says: a suspension or a
    termination that comes with an earlier time takes place at the time of the last event. Anything else waits
    until the clock is right.

    Args:
        case: the case as it stands.
        action: what is asked for.
        actor: who asks, in which role and of which department.
        now: the time, with its zone.
        given: the reason, text and whatever else comes with the action.

    Returns:
        The case with one event more, or why not: a wrong state or actor alone, else all problems at once.
    """
    when = _when(case, action, now)
    problems = tuple(_problems(case, action, actor, when, given))
    if problems:
        return Refused(action, case.state, problems)
    return evolved(case, _event(case, action, actor, when, given))


def allowed(case: Case, actor: Actor) -> tuple[Action, ...]:
    """The actions that the table lets somebody take now, for a page; guards may still refuse."""
    return tuple(
        action
        for (state, action), transition in TRANSITIONS.items()
        if state is case.state and party_problem(case, action, actor, transition.parties) is None
    )


def _when(case: Case, action: Action, now: datetime) -> datetime:
    return max(now, case.events[-1].when) if action in _STOPS and case.events else now


def _problems(case: Case, action: Action, actor: Actor, now: datetime, given: Given) -> Iterator[Problem]:
    transition = TRANSITIONS.get((case.state, action))
    if transition is None:
        yield _wrong_state(case.state, action)
        return
    stranger = party_problem(case, action, actor, transition.parties)
    if stranger is not None:
        yield stranger
        return
    if case.events and now < case.events[-1].when:
        what = f"the last event of the case was at {case.events[-1].when}"
        yield Problem("TIME_BACKWARDS", "now", what, "set the clock right")
    if actor.role is not Role.SYSTEM:
        yield from text_problems("text", given.text)
        yield from text_problems("acceptable_if", given.acceptable_if)
    missing = [_MISSING[demand] for demand in transition.demands if not _is_given(demand, given)]
    yield from missing
    if not missing:
        yield from guard_problems(case, action, actor, now, given)


def _wrong_state(state: State, action: Action) -> Problem:
    possible = ", ".join(sorted(each.value for known, each in TRANSITIONS if known is state))
    what = f"a case that is {state.value} cannot take {action.value}"
    return Problem("WRONG_STATE", "state", what, f"possible now: {possible}")


def _is_given(demand: Demand, given: Given) -> bool:
    value = getattr(given, demand.value)
    return bool(value.strip()) if isinstance(value, str) else value is not None


_MISSING: Final[Mapping[Demand, Problem]] = {
    Demand.TEXT: Problem("TEXT_MISSING", "text", "nothing is said", "say why, in words"),
    Demand.REFUSAL_REASON: Problem(
        "REASON_MISSING", "refusal_reason", "no reason is chosen", "choose one of the reasons for refusing"
    ),
    Demand.ACCEPTABLE_IF: Problem(
        "ACCEPTABLE_IF_MISSING",
        "acceptable_if",
        "it is not said what would make it acceptable",
        "say what the applicant can change, or that nothing would",
    ),
    Demand.STOP_REASON: Problem(
        "REASON_MISSING", "stop_reason", "no reason is chosen", "choose one of the reasons for stopping"
    ),
    Demand.APPLICATION: Problem(
        "APPLICATION_MISSING", "application", "there is no application", "give the filled-in application"
    ),
    Demand.APPROVAL: Problem(
        "APPROVAL_MISSING", "approval", "it is not said what is given", "name items, rows, masks and days"
    ),
    Demand.RESOURCE: Problem(
        "RESOURCE_UNKNOWN", "resource", "the entry is not in the catalogue", "choose another entry"
    ),
    Demand.STEP: Problem("STEP_MISSING", "step", "no step is named", "name the step"),
    Demand.MORE_TIME: Problem(
        "DAYS_MISSING", "days", "no days are given", "say how many more days are needed, and who approves"
    ),
}


def _event(case: Case, action: Action, actor: Actor, now: datetime, given: Given) -> Event:
    """The event, with what the action demands and nothing else of what was given."""
    demands = TRANSITIONS[case.state, action].demands
    said = given.text.strip()
    return Event(
        number=len(case.events) + 1,
        action=action,
        who=actor,
        when=now,
        text=said,
        refusal_reason=given.refusal_reason if Demand.REFUSAL_REASON in demands else None,
        acceptable_if=given.acceptable_if.strip() if Demand.ACCEPTABLE_IF in demands else "",
        stop_reason=given.stop_reason if Demand.STOP_REASON in demands else None,
        application=given.application if Demand.APPLICATION in demands else None,
        approval=given.approval if Demand.APPROVAL in demands else None,
        step=given.step if Demand.STEP in demands else None,
        fault=given.fault if action is Action.STEP_FAILED else None,
        order=given.order if action is Action.SUSPEND else "",
        undone=given.undone if action is Action.ROLL_BACK else (),
        more_time=given.more_time if Demand.MORE_TIME in demands else None,
        whole=tuple((name, why.strip()) for name, why in given.whole) if action in _GIVES else (),
    )
