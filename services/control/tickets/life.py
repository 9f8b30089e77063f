"""Take an action on a ticket: table, who asks, what is given and guards are asked, then it is an event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.cases.words import Actor, Problem
from services.control.clocks.calendar import Calendar
from services.control.tickets.guards import Moment, guard_problems, opening_problems
from services.control.tickets.parties import party_problem
from services.control.tickets.table import TRANSITIONS, Demand
from services.control.tickets.ticket import Event, Given, Opening, Ticket, evolved, opened
from services.control.tickets.words import Action, State


@dataclass(frozen=True, slots=True)
class Refused:
    """The action did not take place, and nothing has changed; ``action`` is None for a report."""

    action: Action | None
    state: State | None
    problems: tuple[Problem, ...]


def report(opening: Opening) -> Ticket | Refused:
    """Take a report, or say everything that is against it."""
    problems = opening_problems(opening)
    return Refused(None, None, problems) if problems else opened(opening)


def apply(
    ticket: Ticket, action: Action, actor: Actor, now: datetime, given: Given, calendar: Calendar
) -> Ticket | Refused:
    """Take an action, or say everything that is against it.

    Args:
        ticket: the ticket as it stands.
        action: what is asked for.
        actor: who asks, in which role and of which department.
        now: the time, with its zone.
        given: the reason, text and whatever else comes with the action.
        calendar: the working days that the ticket's clocks are counted by.

    Returns:
        The ticket with one event more, or why not: a wrong state or actor alone, else all problems at once.
    """
    problems = tuple(_problems(ticket, action, actor, given, Moment(now, calendar)))
    if problems:
        return Refused(action, ticket.state, problems)
    return evolved(ticket, _event(ticket, action, actor, now, given))


def allowed(ticket: Ticket, actor: Actor) -> tuple[Action, ...]:
    """The actions that the table lets somebody take now, for a page; guards may still refuse."""
    return tuple(
        action
        for (state, action), transition in TRANSITIONS.items()
        if state is ticket.state and party_problem(ticket, action, actor, transition.parties) is None
    )


def _problems(
    ticket: Ticket, action: Action, actor: Actor, given: Given, moment: Moment
) -> Iterator[Problem]:
    transition = TRANSITIONS.get((ticket.state, action))
    if transition is None:
        yield _wrong_state(ticket.state, action)
        return
    stranger = party_problem(ticket, action, actor, transition.parties)
    if stranger is not None:
        yield stranger
        return
    last = ticket.events[-1].when if ticket.events else ticket.opening.when
    if moment.now < last:
        what = f"the last event of the ticket was at {last}"
        yield Problem("TIME_BACKWARDS", "now", what, "set the clock right")
    missing = [_MISSING[demand] for demand in transition.demands if not _is_given(demand, given)]
    yield from missing
    if not missing:
        yield from guard_problems(ticket, action, moment, given)


def _wrong_state(state: State, action: Action) -> Problem:
    possible = ", ".join(sorted(each.value for known, each in TRANSITIONS if known is state))
    what = f"a ticket that is {state.value} cannot take {action.value}"
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
        "it is not said what would change the decision",
        "say what the reporter can bring, or that nothing would change it",
    ),
    Demand.REPORTED: Problem(
        "RECORD_MISSING", "reported", "no version is named", "name the version that is still wrong"
    ),
    Demand.CORRECTION: Problem(
        "CORRECTION_MISSING", "correction", "no version is named", "name the version that has come"
    ),
    Demand.RECEIPTS: Problem(
        "RECEIPTS_MISSING", "receipts", "the ledger was not asked", "give what it names, also if that is none"
    ),
    Demand.TOLD: Problem("TOLD_MISSING", "told", "nobody is named", "name whom was told what"),
}

_MORE_EVIDENCE: Final = frozenset({Action.SUPPLEMENT, Action.REOPEN, Action.ESCALATE})


def _event(ticket: Ticket, action: Action, actor: Actor, now: datetime, given: Given) -> Event:
    """The event, with what the action demands and nothing else of what was given."""
    demands = TRANSITIONS[ticket.state, action].demands
    return Event(
        number=len(ticket.events) + 1,
        action=action,
        who=actor,
        when=now,
        text=given.text.strip(),
        refusal_reason=given.refusal_reason if Demand.REFUSAL_REASON in demands else None,
        acceptable_if=given.acceptable_if.strip() if Demand.ACCEPTABLE_IF in demands else "",
        evidence=given.evidence if action in _MORE_EVIDENCE else (),
        reported=given.reported if Demand.REPORTED in demands else None,
        correction=given.correction if Demand.CORRECTION in demands else None,
        receipts=given.receipts if Demand.RECEIPTS in demands else None,
        told=given.told if Demand.TOLD in demands else None,
    )
