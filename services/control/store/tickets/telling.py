"""What departments are told of a ticket, in the transaction in which it happens."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.clocks.calendar import Calendar
from services.control.notices.digest import next_digest
from services.control.notices.event import Parties
from services.control.notices.of_clocks import Duty, of_duty, parties_of, reached_of
from services.control.notices.of_tickets import Recipient, of_receipt, of_ticket
from services.control.notices.words import Audience
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices
from services.control.store.tickets.owed import OwedNotice
from services.control.tickets.clocks import KEYS, open_clock, stands
from services.control.tickets.ticket import Ticket
from services.control.tickets.words import Duty as TicketDuty

NewId = Callable[[], UUID]


def tell_state(
    connection: Connection, ticket: Ticket, calendar: Calendar, now: datetime, new_id: NewId
) -> None:
    """Tell to which state a ticket has come; its parties, and the authority."""
    opening, number = ticket.opening, len(ticket.events)
    parties = {**_parties(ticket), Audience.AUTHORITY: offices(connection).authority}
    resource = ticket.reported.contested.resource
    happened = of_ticket(opening.id, resource, number, ticket.state.value, now, parties)
    if happened is not None:
        tell(connection, happened, new_id(), next_digest(now, calendar))


def tell_owed(
    connection: Connection, notice: OwedNotice, resource: str, calendar: Calendar, now: datetime, new_id: NewId
) -> None:
    """Tell a consumer what it is owed under a ticket."""
    to = Recipient(notice.consumer, notice.grant, now)
    happened = of_receipt(str(notice.ticket), resource, str(notice.id), notice.kind, to)
    tell(connection, happened, new_id(), next_digest(now, calendar))


def tell_clock(
    connection: Connection, ticket: Ticket, calendar: Calendar, now: datetime, new_id: NewId
) -> bool:
    """Tell how the duty of a ticket stands that is to be done now; returns whether it was news."""
    clock = open_clock(ticket)
    standing = None if clock is None else stands(clock, calendar, now)
    reached = None if standing is None else reached_of(standing, now)
    if clock is None or standing is None or standing.due is None or reached is None:
        return False
    obliged = Audience.AUTHORITY if clock.duty is TicketDuty.DISPATCH else Audience.PROVIDER
    overdue = standing.breached
    parties = parties_of(obliged.value, _parties(ticket), offices(connection), reached, overdue=overdue)
    duty = Duty(ticket.opening.id, KEYS[clock.duty], standing.due.day, ticket=True)
    happened = of_duty(duty, reached, parties, now, overdue=overdue)
    return tell(connection, happened, new_id(), next_digest(now, calendar))


def _parties(ticket: Ticket) -> Parties:
    opening = ticket.opening
    return {Audience.CONSUMER: (opening.reporter.department,), Audience.PROVIDER: (str(opening.provider),)}
