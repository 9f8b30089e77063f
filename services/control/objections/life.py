"""Object to how an entry is opened, and act on an objection: asked before anything is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.cases.words import Actor, Problem, Role
from services.control.clocks.calendar import Calendar
from services.control.clocks.steps import RefuseStep, extend
from services.control.objections.clock import Clock
from services.control.objections.objection import Event, Given, Objection, Opening, evolved, opened
from services.control.objections.table import TRANSITIONS, Demand
from services.control.objections.words import Action, Party, State

OBJECTORS: Final = frozenset({Role.CONSUMER, Role.AUTHORITY})
"""A department that uses data, or the authority for somebody of the public who wrote a letter."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The action did not take place, and nothing has changed; ``action`` is None for an objection itself."""

    action: Action | None
    state: State | None
    problems: tuple[Problem, ...]


def object_to(opening: Opening, *, published: bool) -> Objection | Refused:
    """Take an objection, or say everything that is against it.

    Args:
        opening: what is objected to.
        published: whether the entry is published now: that it is not open can be objected to, too.
    """
    problems = tuple(_opening_problems(opening, published))
    return Refused(None, None, problems) if problems else opened(opening)


def apply(
    objection: Objection,
    action: Action,
    actor: Actor,
    now: datetime,
    given: Given,
    clock: Clock | None,
    calendar: Calendar,
) -> Objection | Refused:
    """Take an action, or say what is against it: a wrong state or actor alone, else everything at once."""
    problems = tuple(_problems(objection, action, actor, given))
    if not problems and action is Action.EXTEND:
        problems = tuple(_extension_problems(clock, calendar, given, now))
    if problems:
        return Refused(action, objection.state, problems)
    return evolved(objection, Event(len(objection.events) + 1, action, actor, now, given))


def allowed(objection: Objection, actor: Actor) -> tuple[Action, ...]:
    """The actions that the table lets somebody take now, for a page."""
    return tuple(
        action
        for (state, action), transition in TRANSITIONS.items()
        if state is objection.state and _stranger(objection, actor, transition.party) is None
    )


def _opening_problems(opening: Opening, published: bool) -> Iterator[Problem]:
    if opening.who.role not in OBJECTORS:
        what = f"an objection is not made in the role {opening.who.role.value}"
        yield Problem("WRONG_ROLE", "role", what, "make it as a department that uses data, or the authority")
    if not published:
        what = "the entry is not published"
        yield Problem("ENTRY_NOT_PUBLISHED", "entry", what, "choose a published entry")
    if opening.provider == opening.who.department and opening.who.role is Role.CONSUMER:
        what = "the entry is the own department's"
        yield Problem("OWN_ENTRY", "entry", what, "revise the entry instead")
    if not opening.text.strip():
        yield Problem("TEXT_MISSING", "text", "nothing is said", "say it in words")
    if opening.who.role is Role.AUTHORITY and not opening.reference.strip():
        what = "no letter is named"
        yield Problem(
            "REFERENCE_MISSING", "reference", what, "give the number of the letter, and name nobody"
        )


def _problems(objection: Objection, action: Action, actor: Actor, given: Given) -> Iterator[Problem]:
    transition = TRANSITIONS.get((objection.state, action))
    if transition is None:
        what = f"an objection that is {objection.state.value} does not know {action.value}"
        yield Problem("WRONG_STATE", "state", what, "look what can be done now")
        return
    stranger = _stranger(objection, actor, transition.party)
    if stranger is not None:
        yield stranger
        return
    yield from (_MISSING[each] for each in transition.demands if not _has(given, each))


def _extension_problems(
    clock: Clock | None, calendar: Calendar, given: Given, now: datetime
) -> Iterator[Problem]:
    if clock is None:
        what = "no clock runs that could be extended"
        yield Problem("EXTENSION_REFUSED", "days", what, "answer it")
        return
    try:
        extend(clock.run, calendar, given.days or 0, given.approver, now)
    except RefuseStep as error:
        yield Problem("EXTENSION_REFUSED", "days", str(error), "answer it in time")


def _stranger(objection: Objection, actor: Actor, party: Party) -> Problem | None:
    opening = objection.opening
    if party is Party.PROVIDER:
        role, department = Role.PROVIDER, opening.provider
    else:
        role, department = opening.who.role, opening.who.department
    if actor.role is not role:
        what = f"the role {actor.role.value} does not do this"
        return Problem("WRONG_ROLE", "role", what, f"have the {role.value} do it")
    if actor.department == department:
        return None
    return Problem(
        "OTHER_DEPARTMENT", "department", f"this is for {department}", "have that department do it"
    )


def _has(given: Given, demand: Demand) -> bool:
    match demand:
        case Demand.TEXT:
            return bool(given.text.strip())
        case Demand.BASIS:
            return bool(given.basis.strip())
        case Demand.DAYS:
            return given.days is not None


_MISSING: Final = {
    Demand.TEXT: Problem("TEXT_MISSING", "text", "nothing is said", "say it in words"),
    Demand.BASIS: Problem("BASIS_MISSING", "basis", "no basis is given", "name the document and the article"),
    Demand.DAYS: Problem("DAYS_MISSING", "days", "no days are given", "say how many more days are needed"),
}
