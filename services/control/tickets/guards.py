"""Conditions of actions beyond the table: what is given must fit the ticket, its clocks and the ledger."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.cases.words import Problem, Role
from services.control.clocks.calendar import Calendar
from services.control.tickets.clocks import open_clock, overdue
from services.control.tickets.correction import SETTLED
from services.control.tickets.evidence import evidence_problems, report_problems
from services.control.tickets.recipients import owed
from services.control.tickets.ticket import Given, Opening, Ticket, kind_of
from services.control.tickets.words import Action, Route, State


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is, and the calendar that clocks are read by."""

    now: datetime
    calendar: Calendar


Guard = Callable[[Ticket, Moment, Given], Iterator[Problem]]


def guard_problems(ticket: Ticket, action: Action, moment: Moment, given: Given) -> tuple[Problem, ...]:
    """What is against an action that the table allows and whose demands are met."""
    guard = _GUARDS.get(action)
    return () if guard is None else tuple(guard(ticket, moment, given))


def opening_problems(opening: Opening) -> tuple[Problem, ...]:
    """Everything that keeps a report from becoming a ticket."""
    found = list(report_problems(opening.statement, opening.evidence, opening.reported))
    if opening.reporter.role is not Role.CONSUMER:
        what = f"a record is not reported in the role {opening.reporter.role.value}"
        found.append(Problem("WRONG_ROLE", "role", what, "report it as the department that uses the data"))
    if opening.reporter.department == opening.provider:
        what = f"{opening.provider} owns the record"
        found.append(Problem("REPORTER_PROVIDES", "reporter", what, "correct it at the source"))
    return tuple(found)


def _forward(ticket: Ticket, _moment: Moment, _given: Given) -> Iterator[Problem]:
    if ticket.opening.rules.route is Route.AUTHORITY:
        what = "the policy pack has the authority dispatch reports"
        yield Problem("DISPATCH_FIRST", "state", what, "wait for the dispatch")


def _dispatch(ticket: Ticket, _moment: Moment, _given: Given) -> Iterator[Problem]:
    if ticket.opening.rules.route is not Route.AUTHORITY:
        what = "the policy pack has reports go to the provider"
        yield Problem("NO_DISPATCH", "state", what, "let the control plane forward it")


def _supplement(_ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    yield from evidence_problems(given.evidence)


def _arrive(ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    found = given.correction
    if found is None:
        return
    if found.verdict not in SETTLED:
        what = f"{found.at} still says what is disputed: {', '.join(found.standing)}"
        yield Problem("NOT_CORRECTED", "correction", what, "wait for a version that does not")
    if found.position <= ticket.reported.position:
        what = f"{found.at} is not newer than {ticket.reported.at}"
        yield Problem("NOT_LATER", "correction", what, "wait for a newer version")


def _revert(ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    found, before = given.correction, ticket.correction
    if found is None or before is None:
        return
    if found.verdict in SETTLED:
        what = f"{found.at} does not say what was disputed"
        yield Problem("STILL_CORRECTED", "correction", what, "nothing is to be done")
    if found.position <= before.position:
        what = f"{found.at} is not newer than {before.at}"
        yield Problem("NOT_LATER", "correction", what, "wait for a newer version")


def _reopen(ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    again = given.reported
    if again is None:
        return
    yield from report_problems(given.text, given.evidence or ticket.opening.evidence, again)
    was = ticket.reported.contested
    if (again.contested.resource, again.contested.record) != (was.resource, was.record):
        what = "it is another record than the ticket's"
        yield Problem("RECORD_OTHER", "reported", what, "report the other record in a ticket of its own")
    if ticket.correction is not None and again.position < ticket.correction.position:
        what = f"{again.at} is older than the corrected version"
        yield Problem("NOT_LATER", "reported", what, "report the version that is there now")


def _escalate(ticket: Ticket, moment: Moment, given: Given) -> Iterator[Problem]:
    if ticket.level >= len(ticket.opening.rules.dispute_levels):
        what = f"the policy pack knows no level above {ticket.level}"
        yield Problem("NO_HIGHER_LEVEL", "state", what, "wait for the ruling, or complain to the authority")
    waits = ticket.state in (State.VERIFYING, State.CORRECTING)
    if waits and open_clock(ticket) is not None and overdue(ticket, moment.calendar, moment.now) is None:
        what = "the provider has time left"
        yield Problem("NOT_OVERDUE", "state", what, "wait until the time is over, or for the decision")
    yield from evidence_problems(given.evidence)


def _list(ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    dropped = set(ticket.receipts) - set(given.receipts or ())
    if dropped:
        at = ", ".join(sorted(f"{each.grant} at {each.at}" for each in dropped))
        what = f"the ledger named these before: {at}"
        yield Problem("RECEIPT_DROPPED", "receipts", what, "keep what was proven once, and add to it")


def _tell(ticket: Ticket, _moment: Moment, given: Given) -> Iterator[Problem]:
    told, kind = given.told, kind_of(ticket)
    left = () if kind is None else owed(ticket.receipts, ticket.told, kind)
    if told is not None and (told.consumer, told.grant, told.kind) not in left:
        what = f"{told.consumer} is not owed this notice under {told.grant}"
        yield Problem("NOT_OWED", "told", what, "tell only what is owed, and once")


def _close(ticket: Ticket, _moment: Moment, _given: Given) -> Iterator[Problem]:
    if not ticket.listed:
        what = "the ledger was not asked who received the wrong version"
        yield Problem("RECIPIENTS_UNKNOWN", "receipts", what, "list them first")
    kind = kind_of(ticket)
    left = () if kind is None else owed(ticket.receipts, ticket.told, kind)
    if left:
        names = ", ".join(f"{consumer} under {grant}" for consumer, grant, _ in left)
        yield Problem("NOT_ALL_TOLD", "told", f"not told yet: {names}", "tell them first")


_GUARDS: Final[Mapping[Action, Guard]] = {
    Action.FORWARD: _forward,
    Action.DISPATCH: _dispatch,
    Action.SUPPLEMENT: _supplement,
    Action.ARRIVE: _arrive,
    Action.REVERT: _revert,
    Action.REOPEN: _reopen,
    Action.ESCALATE: _escalate,
    Action.LIST: _list,
    Action.TELL: _tell,
    Action.CLOSE: _close,
}
