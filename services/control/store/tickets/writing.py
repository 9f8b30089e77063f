"""Writes tickets: the events and everything that they come to, in the caller's one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update

import topics.disputes
from services.control.clocks.calendar import Calendar
from services.control.store.errors import CloseDisputes
from services.control.store.tickets.reading import Filed
from services.control.store.tickets.tables import DISPUTES, EVENTS, NOTICES, TICKETS
from services.control.tickets.clocks import open_clock, stands
from services.control.tickets.marking import marks_owed
from services.control.tickets.recipients import owed
from services.control.tickets.ticket import Ticket, kind_of
from services.control.tickets.written import contested_document, event_document, opening_document
from topics.disputes import Act

_DISPUTES_LOCK: Final = 4_207_004
"""Of PostgreSQL's advisory locks the one under which changes of the disputes are numbered."""


def add(connection: Connection, ticket: Ticket, calendar: Calendar) -> int:
    """File a new ticket and return the number by which people call it."""
    opening = ticket.opening
    row = {
        "id": UUID(opening.id),
        "opening": opening_document(opening),
        "opened_at": opening.when,
        "reporter": opening.reporter.department,
        "provider": opening.provider,
        **_folded(ticket, calendar, opening.when),
    }
    number: int = connection.execute(TICKETS.insert().values(row).returning(TICKETS.c.number)).scalar_one()
    return number


def record(
    connection: Connection,
    before: Filed,
    after: Ticket,
    recorder: str,
    calendar: Calendar,
    new_id: Callable[[], UUID],
) -> None:
    """Write what happened to a ticket, which the caller holds locked, with all that it leads to.

    Args:
        connection: inside the caller's transaction.
        before: the ticket as it was loaded with its lock.
        after: the same ticket with at least one event more.
        recorder: the account that wrote them.
        calendar: the working days that the ticket's clocks are counted by.
        new_id: makes ids of notices.
    """
    ticket, fresh = UUID(after.opening.id), after.events[before.version :]
    rows = [
        {
            "ticket_id": ticket,
            "number": event.number,
            "action": event.action.value,
            "at": event.when,
            "recorder": recorder,
            "document": event_document(event),
        }
        for event in fresh
    ]
    connection.execute(EVENTS.insert(), rows)
    now = fresh[-1].when
    connection.execute(update(TICKETS).where(TICKETS.c.id == ticket).values(_folded(after, calendar, now)))
    _write_marks(connection, before.ticket, after, now)
    _write_notices(connection, after, now, new_id)


def recount(connection: Connection, filed: Filed, calendar: Calendar, now: datetime) -> None:
    """Count the ticket's due day anew, as when a year's holidays have come; nothing has happened to it."""
    folded = _folded(filed.ticket, calendar, now)
    due = {name: value for name, value in folded.items() if name.startswith("due_")}
    connection.execute(update(TICKETS).where(TICKETS.c.id == UUID(filed.ticket.opening.id)).values(due))


def _folded(ticket: Ticket, calendar: Calendar, now: datetime) -> dict[str, Any]:
    """What the events of a ticket come to, as columns."""
    clock = open_clock(ticket)
    due = None if clock is None else stands(clock, calendar, now).due
    return {
        "resource": ticket.reported.contested.resource,
        "record": ticket.reported.contested.record,
        "version": len(ticket.events),
        "state": ticket.state.value,
        "round": ticket.round,
        "level": ticket.level,
        "moved_at": now,
        "due_on": None if due is None else due.day,
        "due_for": None if clock is None else clock.duty.value,
        "due_provisional": None if due is None else due.provisional,
    }


def _write_marks(connection: Connection, before: Ticket, after: Ticket, now: datetime) -> None:
    """Append the changes of the disputes; one transaction at a time, so that there are no gaps."""
    changes = marks_owed(before, after)
    if not changes:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _DISPUTES_LOCK})
    last = connection.execute(select(func.coalesce(func.max(DISPUTES.c.number), 0))).scalar_one()
    _require_room(connection, [act for act, _, _ in changes])
    rows = [
        {
            "number": last + place,
            "ticket_id": UUID(after.opening.id),
            "act": act.value,
            "dispute": dispute,
            "contested": None if contested is None else contested_document(contested),
            "appended_at": now,
        }
        for place, (act, dispute, contested) in enumerate(changes, 1)
    ]
    connection.execute(DISPUTES.insert(), rows)


def _require_room(connection: Connection, acts: Sequence[Act]) -> None:
    """No more may be open than an instance of the fan-out holds: it would take none of the later changes."""
    more = acts.count(Act.OPEN) - acts.count(Act.CLOSE)
    count = func.count()
    opened = count.filter(DISPUTES.c.act == Act.OPEN.value)
    standing: int = connection.execute(
        select(opened - count.filter(DISPUTES.c.act == Act.CLOSE.value))
    ).scalar_one()
    if more > 0 and standing + more > topics.disputes.MOST_OPEN:
        raise CloseDisputes(f"{standing} disputes are open: close some before another record is disputed")


def _write_notices(connection: Connection, ticket: Ticket, now: datetime, new_id: Callable[[], UUID]) -> None:
    """Bring what is owed to what the ticket says: what holds no longer is dropped."""
    of_ticket = NOTICES.c.ticket_id == UUID(ticket.opening.id)
    waiting = (of_ticket, NOTICES.c.told_at.is_(None), NOTICES.c.dropped_at.is_(None))
    kind = kind_of(ticket)
    wanted = set(() if kind is None else owed(ticket.receipts, ticket.told, kind))
    told = {each.notice for each in ticket.told}
    pending: set[tuple[str, str, str]] = set()
    for row in connection.execute(select(NOTICES).where(*waiting)):
        if str(row.id) in told:
            connection.execute(update(NOTICES).where(NOTICES.c.id == row.id).values(told_at=now))
        elif (row.consumer, row.grant_id, row.kind) in wanted:
            pending.add((row.consumer, row.grant_id, row.kind))
        else:
            connection.execute(update(NOTICES).where(NOTICES.c.id == row.id).values(dropped_at=now))
    rows = [
        {
            "id": new_id(),
            "ticket_id": UUID(ticket.opening.id),
            "consumer": consumer,
            "grant_id": grant,
            "kind": each.value,
            "owed_at": now,
        }
        for consumer, grant, each in sorted(wanted - pending)
    ]
    if rows:
        connection.execute(NOTICES.insert(), rows)
