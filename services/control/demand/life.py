"""State a need, and take an action on one: the table, who asks and what is given are asked first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.cases.words import Actor, Problem, Role
from services.control.catalogue.entry import ResourceCode
from services.control.catalogue.text import comparable
from services.control.demand.need import Event, Given, Need, Opening, evolved, opened
from services.control.demand.table import TRANSITIONS, Demand
from services.control.demand.words import Action, Party, State

MOST_ITEMS: Final = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """The action did not take place, and nothing has changed; ``action`` is None for a statement."""

    action: Action | None
    state: State | None
    problems: tuple[Problem, ...]


def state_need(opening: Opening, published: ResourceCode | None) -> Need | Refused:
    """Take a need, or say everything that is against it.

    Args:
        opening: what is needed.
        published: the code of the published entry that is called so; None where there is none.
    """
    problems = tuple(_opening_problems(opening, published))
    return Refused(None, None, problems) if problems else opened(opening)


def apply(need: Need, action: Action, actor: Actor, now: datetime, given: Given) -> Need | Refused:
    """Take an action, or say what is against it: a wrong state or actor alone, else everything at once."""
    problems = tuple(_problems(need, action, actor, given))
    if problems:
        return Refused(action, need.state, problems)
    return evolved(need, Event(len(need.events) + 1, action, actor, now, given))


def allowed(need: Need, actor: Actor) -> tuple[Action, ...]:
    """The actions that the table lets somebody take now, for a page."""
    return tuple(
        action
        for (state, action), transition in TRANSITIONS.items()
        if state is need.state and _stranger(need, actor, transition.party) is None
    )


def _opening_problems(opening: Opening, published: ResourceCode | None) -> Iterator[Problem]:
    if opening.who.role is not Role.CONSUMER:
        what = f"a need is not stated in the role {opening.who.role.value}"
        yield Problem("WRONG_ROLE", "role", what, "state it as the department that needs the data")
    if not opening.subject.strip():
        yield Problem("SUBJECT_MISSING", "subject", "the data has no name", "say which data is needed")
    if not opening.scenario.strip():
        yield Problem("SCENARIO_MISSING", "scenario", "the use is not said", "say what the data is for")
    if not opening.basis_document.strip():
        what = "no duty is named"
        yield Problem("BASIS_DOCUMENT_MISSING", "basis_document", what, "name the law that gives the duty")
    names = [comparable(item) for item in opening.items]
    if "" in names or len(names) > MOST_ITEMS or len(set(names)) < len(names):
        what = "an item is empty or named twice, or there are too many"
        yield Problem("ITEM_DOUBLED", "items", what, f"name each item once, {MOST_ITEMS} at most")
    if opening.code is None and published is not None:
        what = f"the catalogue has it under {published}"
        yield Problem("IN_CATALOGUE", "code", what, "name that code, and apply for the data")


def _problems(need: Need, action: Action, actor: Actor, given: Given) -> Iterator[Problem]:
    transition = TRANSITIONS.get((need.state, action))
    if transition is None:
        what = f"a need that is {need.state.value} does not know {action.value}"
        yield Problem("WRONG_STATE", "state", what, "look what can be done now")
        return
    stranger = _stranger(need, actor, transition.party)
    if stranger is not None:
        yield stranger
        return
    yield from (_MISSING[each] for each in transition.demands if not _has(given, each))
    if action is Action.ASSIGN and given.department == need.opening.who.department:
        what = f"{given.department} is the one that needs it"
        yield Problem("ASSIGNED_TO_APPLICANT", "department", what, "assign it to who holds the data")


def _stranger(need: Need, actor: Actor, party: Party) -> Problem | None:
    role = _OF_PARTY[party]
    if actor.role is not role:
        what = f"the role {actor.role.value} does not do this"
        return Problem("WRONG_ROLE", "role", what, f"have the {role.value} do it")
    own = actor.department == need.opening.who.department
    if party is Party.AUTHORITY:
        what = "the need is of the own department"
        remedy = "have somebody of another department do it"
        return Problem("OWN_NEED", "department", what, remedy) if own else None
    department = need.assigned_to if party is Party.ASSIGNEE else need.opening.who.department
    if actor.department == department:
        return None
    what = f"this is for {department or 'nobody'}"
    return Problem("OTHER_DEPARTMENT", "department", what, "have that department do it")


def _has(given: Given, demand: Demand) -> bool:
    match demand:
        case Demand.TEXT:
            return bool(given.text.strip())
        case Demand.REASON:
            return given.reason is not None
        case Demand.DEPARTMENT:
            return bool(given.department)
        case Demand.CODE:
            return given.code is not None
        case Demand.ENTRY:
            return given.entry is not None


_OF_PARTY: Final = {
    Party.CONSUMER: Role.CONSUMER,
    Party.ASSIGNEE: Role.PROVIDER,
    Party.AUTHORITY: Role.AUTHORITY,
}
_MISSING: Final = {
    Demand.TEXT: Problem("TEXT_MISSING", "text", "nothing is said", "say it in words"),
    Demand.REASON: Problem("REASON_MISSING", "reason", "no reason is given", "choose one of the list"),
    Demand.DEPARTMENT: Problem(
        "DEPARTMENT_MISSING", "department", "no department is named", "name who holds the data"
    ),
    Demand.CODE: Problem("CODE_MISSING", "code", "no entry is named", "name a published entry's code"),
    Demand.ENTRY: Problem("ENTRY_MISSING", "entry", "no entry was begun", "begin a draft for it"),
}
