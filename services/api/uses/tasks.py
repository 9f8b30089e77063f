"""What waits for a person, on cases, entries, tickets and more: first what is due first, with days left."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses import tasks_of_the_bus as of_the_bus
from services.api.uses.lately import Lately, Unseen
from services.api.uses.reach import own, sees
from services.api.uses.task import Kind, Task, days_left
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.accounts.roles import Role
from services.control.catalogue.lifecycle import State as EntryState
from services.control.clocks.calendar import Calendar, civil_day
from services.control.demand.words import State as NeedState
from services.control.docket.report_clock import ReportDuty, year_end
from services.control.docket.review_clock import APPLY, REVIEW, EntryDue, entry_due
from services.control.objections.words import State as ObjectionState
from services.control.store.accounts.departments import department_of
from services.control.store.cases import tasks
from services.control.store.cases.listing import waiting
from services.control.store.cases.policies import Policies
from services.control.store.catalogue.listing import Facet, Question, page
from services.control.store.catalogue.reviews import under_review, under_revision
from services.control.store.clocks.calendars import read_calendar
from services.control.store.demand.reading import Wish as NeedWish
from services.control.store.demand.reading import listed as needs
from services.control.store.objections.reading import Wish as ObjectionWish
from services.control.store.objections.reading import listed as objections
from services.control.store.reports.reading import reports
from services.control.store.tickets.reading import Wish, listed
from services.control.tickets.words import State as TicketState

MOST: Final = 1_000
"""Tasks of one kind in one role that are looked at: who has more works on those first."""


_REPORTERS: Final = (TicketState.RETURNED, TicketState.CORRECTED)
_PROVIDERS: Final = (TicketState.VERIFYING, TicketState.CORRECTING)
_AUTHORITIES: Final = (TicketState.REPORTED, TicketState.ESCALATED)
_WRITTEN: Final = (EntryState.DRAFT, EntryState.REGISTERED)


def of(parts: Parts, principal: Principal, limit: int = 50, lately: Lately | None = None) -> list[Task]:
    """What waits for somebody in any of his roles.

    Args:
        parts: what requests are answered with.
        principal: who asks.
        limit: so many at most.
        lately: what was read of the running bus when somebody looked last; nothing is known without it.

    Raises:
        AnswerProblem: the person may not look at cases at all.
    """
    permit(parts, principal, Action.CASE_LOOK, own(principal))
    seen = Unseen() if lately is None else lately
    with parts.database.reading() as connection:
        calendar, now = read_calendar(connection), parts.clock()
        today = civil_day(now)
        found = [
            task
            for role in sorted(principal.roles)
            for task in (
                *_cases(connection, principal, role, calendar, today),
                *_tickets(connection, principal, role, calendar, today),
                *_entries(connection, principal, role, calendar, today),
                *_needs(connection, principal, role),
                *_objections(connection, principal, role, calendar, today),
                *_reports(connection, principal, role, calendar, now),
                *of_the_bus.replays(connection, principal, role),
                *of_the_bus.credentials(connection, principal, role, calendar, now),
                *of_the_bus.volumes(connection, principal, role),
                *of_the_bus.stopped(connection, principal, role, seen),
                *of_the_bus.conflicts(connection, principal, role, seen, parts.definitions),
            )
        ]
    found.sort(key=lambda each: (each.due_on is None, each.due_on or today, each.since))
    return found[:limit]


def _cases(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, today: date
) -> Iterator[Task]:
    department = principal.department
    which = {
        Role.CONSUMER: tasks.of_applicant(department),
        Role.PROVIDER: tasks.of_provider(department),
        Role.AUTHORITY: tasks.of_authority(department),
        Role.OPERATOR: tasks.of_operator(),
    }.get(role)
    if which is None:
        return
    for line in waiting(connection, which, MOST):
        yield Task(
            kind=Kind.CASE,
            role=role,
            id=line.id,
            number=line.number,
            name=line.resource,
            state=line.state.value,
            department=line.provider if role is Role.CONSUMER else line.consumer,
            since=line.moved_at,
            due_on=line.due_on,
            provisional=bool(line.due_provisional),
            days_left=None if line.due_on is None else days_left(calendar, today, line.due_on),
        )


def _tickets(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, today: date
) -> Iterator[Task]:
    if not sees(principal, Action.TICKET_LOOK, own(principal)):
        return
    department = principal.department
    wishes = {
        Role.CONSUMER: [Wish(state=each, reporter=department) for each in _REPORTERS],
        Role.PROVIDER: [Wish(state=each, provider=department) for each in _PROVIDERS],
        Role.AUTHORITY: [Wish(state=each) for each in _AUTHORITIES],
    }.get(role, [])
    for line in (line for wish in wishes for line in listed(connection, wish, limit=MOST)):
        if role is Role.AUTHORITY and line.reporter == department:
            continue
        yield Task(
            kind=Kind.TICKET,
            role=role,
            id=line.id,
            number=line.number,
            name=line.resource,
            state=line.state.value,
            department=line.provider if role is Role.CONSUMER else line.reporter,
            since=line.moved_at,
            due_on=line.due_on,
            provisional=bool(line.due_provisional),
            days_left=None if line.due_on is None else days_left(calendar, today, line.due_on),
        )


def _entries(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, today: date
) -> Iterator[Task]:
    """Entries to review, or to bring on: reviews and revisions by the clocks of the policy."""
    if role is Role.AUTHORITY:
        yield from _reviews(connection, calendar, today)
        return
    department = department_of(connection, principal.department) if role is Role.PROVIDER else None
    if department is None:
        return
    policies, code = Policies(connection), department.credit_code
    due = {
        each.id: entry_due(policies.at(each.since), APPLY, each.since, calendar)
        for each in under_revision(connection, code, MOST)
    }
    chosen = {
        Facet.STATE: frozenset(each.value for each in _WRITTEN),
        Facet.PROVIDER: frozenset({code}),
    }
    for entry in page(connection, Question(chosen=chosen, published_only=False), MOST).entries:
        yield Task(
            kind=Kind.ENTRY,
            role=role,
            id=entry.id,
            number=None,
            name=entry.name,
            state=entry.state.value,
            department=entry.provider,
            since=entry.changed_at,
            **_counted(due.get(entry.id), calendar, today),
        )


def _reviews(connection: Connection, calendar: Calendar, today: date) -> Iterator[Task]:
    policies = Policies(connection)
    for entry in under_review(connection, MOST):
        found = entry_due(policies.at(entry.since), REVIEW, entry.since, calendar)
        yield Task(
            kind=Kind.ENTRY,
            role=Role.AUTHORITY,
            id=entry.id,
            number=None,
            name=entry.name,
            state=entry.state.value,
            department=entry.provider,
            since=entry.since,
            **_counted(found, calendar, today),
        )


def _counted(found: EntryDue | None, calendar: Calendar, today: date) -> dict[str, Any]:
    """What a task says of its last day."""
    if found is None:
        return {"due_on": None, "provisional": False, "days_left": None}
    left = days_left(calendar, today, found.due.day)
    return {"due_on": found.due.day, "provisional": found.due.provisional, "days_left": left}


def _needs(connection: Connection, principal: Principal, role: Role) -> Iterator[Task]:
    """Needs to assign or answer, and those that wait for an entry of the own department."""
    own_department = principal.department
    wish = {
        Role.AUTHORITY: NeedWish(state=NeedState.STATED),
        Role.PROVIDER: NeedWish(state=NeedState.ASSIGNED, assigned_to=own_department),
    }.get(role)
    for line in () if wish is None else needs(connection, wish, limit=MOST):
        if role is Role.AUTHORITY and line.department == own_department:
            continue
        yield Task(
            kind=Kind.NEED,
            role=role,
            id=line.id,
            number=line.number,
            name=line.subject,
            state=line.state.value,
            department=line.department,
            since=line.moved_at,
            due_on=None,
            provisional=False,
            days_left=None,
        )


def _objections(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, today: date
) -> Iterator[Task]:
    """Objections to entries of the own department, by the clock that each began under."""
    if role is not Role.PROVIDER or not sees(principal, Action.OBJECTION_LOOK, own(principal)):
        return
    wish = ObjectionWish(ObjectionState.RECEIVED, principal.department)
    for each in objections(connection, wish, limit=MOST):
        opening, due = each.objection.opening, each.due(calendar)
        yield Task(
            kind=Kind.OBJECTION,
            role=role,
            id=opening.id,
            number=each.number,
            name=opening.name,
            state=each.objection.state.value,
            department=opening.who.department,
            since=opening.when,
            due_on=None if due is None else due.day,
            provisional=due is not None and due.provisional,
            days_left=None if due is None else days_left(calendar, today, due.day),
        )


_REPORTING: Final = {
    Role.PROVIDER: (ReportDuty.DEPARTMENT,),
    Role.CONSUMER: (ReportDuty.DEPARTMENT,),
    Role.AUTHORITY: (ReportDuty.DEPARTMENT, ReportDuty.AUTHORITY),
}


def _reports(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, now: datetime
) -> Iterator[Task]:
    """Yearly reports that the own department still owes; once for who is consumer and provider."""
    twice = role is Role.CONSUMER and Role.PROVIDER in principal.roles
    duties = () if twice else _REPORTING.get(role, ())
    if not duties or not sees(principal, Action.REPORT_LOOK, own(principal)):
        return
    for each in reports(connection, calendar, now, principal.department):
        if each.handed is not None or each.duty not in duties:
            continue
        yield Task(
            kind=Kind.REPORT,
            role=role,
            id=each.id,
            number=None,
            name=str(each.year),
            state=each.duty.value,
            department=each.department,
            since=year_end(each.year),
            **_counted(each.due, calendar, civil_day(now)),
        )
