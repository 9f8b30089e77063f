"""What waits for a person: cases, entries and tickets, each with its last day and the working days left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from services.control.accounts.decision import Principal
from services.control.accounts.roles import Role
from services.control.cases.words import State
from services.control.catalogue import lifecycle
from services.control.clocks.arithmetic import working_days_between
from services.control.clocks.calendar import Calendar
from services.control.store.cases import listing as cases
from services.control.store.catalogue import listing as entries
from services.control.store.catalogue.listing import Facet, Question
from services.control.store.clocks.calendars import read_calendar
from services.control.store.tickets import reading as tickets
from services.control.tickets.words import State as TicketState

MOST: Final = 200
"""Of each kind; whoever has more works from the lists."""


class Kind(StrEnum):
    """What a task is about."""

    CASE = "case"
    ENTRY = "entry"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits; ``state`` says for what, ``subject`` about what."""

    kind: Kind
    path: str
    name: str
    subject: str
    state: StrEnum
    other: str
    """The other department, by its id or name."""
    due_on: date | None = None
    left: int | None = None
    """Working days after today up to the last day; below zero once it is over."""
    provisional: bool = False

    @property
    def overdue(self) -> bool:
        """Whether the last day is over."""
        return self.left is not None and self.left < 0


_CASES_OF: Final[dict[Role, tuple[State, ...]]] = {
    Role.CONSUMER: (State.DRAFT, State.RETURNED, State.REFUSED),
    Role.PROVIDER: (State.DECIDING, State.NEGOTIATING),
    Role.AUTHORITY: (State.PRECHECK, State.DECIDING, State.ESCALATED),
    Role.OPERATOR: (State.PROVISIONING,),
}
_ENTRIES_OF: Final = {
    Role.PROVIDER: (lifecycle.State.DRAFT, lifecycle.State.REGISTERED),
    Role.AUTHORITY: (lifecycle.State.REGISTRATION_REVIEW, lifecycle.State.PUBLICATION_REVIEW),
}
_TICKETS_OF: Final = {
    Role.CONSUMER: (TicketState.RETURNED, TicketState.CORRECTED, TicketState.REFUSED),
    Role.PROVIDER: (TicketState.VERIFYING, TicketState.CORRECTING),
    Role.AUTHORITY: (TicketState.REPORTED, TicketState.ESCALATED),
}


def tasks_of(
    connection: Connection, principal: Principal, credit_code: str | None, today: date
) -> list[Task]:
    """What waits for a person in one of the person's roles; what is due first at the top.

    Args:
        connection: to read with.
        principal: who asks.
        credit_code: by which the catalogue knows the person's department.
        today: the day in official time.
    """
    calendar = read_calendar(connection)
    found = [
        *_cases(connection, principal, calendar, today),
        *_entries(connection, principal, credit_code),
        *_tickets(connection, principal, calendar, today),
    ]
    unique = {task.path: task for task in found}
    return sorted(unique.values(), key=lambda task: (task.due_on is None, task.due_on or today, task.path))


def days_left(calendar: Calendar, today: date, due_on: date | None) -> int | None:
    """Working days after today up to a last day; below zero for those that have passed since."""
    if due_on is None:
        return None
    if due_on >= today:
        return working_days_between(calendar, today, due_on)
    # The first day that is late is late by one, even where it is no working day.
    return -max(1, working_days_between(calendar, due_on, today))


def _cases(
    connection: Connection, principal: Principal, calendar: Calendar, today: date
) -> Iterator[Task]:
    for role, states in _CASES_OF.items():
        if role not in principal.roles:
            continue
        for state in states:
            for line in cases.newest(connection, _wish(role, state, principal.department), limit=MOST):
                if _concerns(line, role, principal.department):
                    yield _case(line, role, calendar, today)


def _wish(role: Role, state: State, department: str) -> cases.Wish:
    return cases.Wish(
        state=state,
        consumer=department if role is Role.CONSUMER else None,
        provider=department if role is Role.PROVIDER else None,
    )


def _concerns(line: cases.CaseLine, role: Role, department: str) -> bool:
    """Whether it is this side's turn; nobody judges in the matter of his own department."""
    if role is Role.CONSUMER:
        return True
    if line.consumer == department:
        return False
    if line.state is State.DECIDING and line.due_from is not None:
        return line.due_from == role.value
    return role is not Role.AUTHORITY or line.state is not State.DECIDING


def _case(line: cases.CaseLine, role: Role, calendar: Calendar, today: date) -> Task:
    mine = line.due_from == role.value
    return Task(
        kind=Kind.CASE,
        path=f"/cases/{line.id}",
        name=str(line.number),
        subject=line.resource,
        state=line.state,
        other=line.provider if role is Role.CONSUMER else line.consumer,
        due_on=line.due_on if mine else None,
        left=days_left(calendar, today, line.due_on) if mine else None,
        provisional=bool(line.due_provisional) and mine,
    )


def _entries(connection: Connection, principal: Principal, credit_code: str | None) -> Iterator[Task]:
    for role, states in _ENTRIES_OF.items():
        if role not in principal.roles or (role is Role.PROVIDER and credit_code is None):
            continue
        chosen = {Facet.STATE: frozenset(state.value for state in states)}
        if role is Role.PROVIDER and credit_code is not None:
            chosen[Facet.PROVIDER] = frozenset({credit_code})
        question = Question(chosen=chosen, published_only=False)
        for each in entries.page(connection, question, MOST).entries:
            yield Task(
                kind=Kind.ENTRY,
                path=f"/catalogue/entries/{each.id}",
                name=each.code or "",
                subject=each.name,
                state=each.state,
                other=each.provider,
            )


def _tickets(
    connection: Connection, principal: Principal, calendar: Calendar, today: date
) -> Iterator[Task]:
    for role, states in _TICKETS_OF.items():
        if role not in principal.roles:
            continue
        for state in states:
            wish = tickets.Wish(
                state=state,
                reporter=principal.department if role is Role.CONSUMER else None,
                provider=principal.department if role is Role.PROVIDER else None,
            )
            for line in tickets.listed(connection, wish, limit=MOST):
                if role is Role.AUTHORITY and line.reporter == principal.department:
                    continue
                yield _ticket(line, role, calendar, today)


def _ticket(line: tickets.TicketLine, role: Role, calendar: Calendar, today: date) -> Task:
    return Task(
        kind=Kind.TICKET,
        path=f"/tickets/{line.id}",
        name=str(line.number),
        subject=line.resource,
        state=line.state,
        other=line.provider if role is Role.CONSUMER else line.reporter,
        due_on=line.due_on,
        left=days_left(calendar, today, line.due_on),
    )


def late(tasks: Iterable[Task]) -> list[Task]:
    """Those whose last day is over."""
    return [task for task in tasks if task.overdue]
