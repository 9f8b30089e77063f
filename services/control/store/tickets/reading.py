"""Reads tickets: one is folded from its events each time, and what lists show is never decided on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select

from services.control.store.errors import StoreError
from services.control.store.parties import Parties
from services.control.store.tickets.tables import EVENTS, TICKETS
from services.control.tickets.ticket import Ticket, fold
from services.control.tickets.words import Duty, State
from services.control.tickets.written import event_of, opening_of


class DistrustTicket(StoreError):  # noqa: N818 - named after what its catcher must do
    """What is stored of a ticket is not what its events come to: nothing is decided until that is clear."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket as it is kept; ``number`` is what people call it by."""

    number: int
    ticket: Ticket

    @property
    def version(self) -> int:
        """How many events it has: who changes it names the version that he has seen."""
        return len(self.ticket.events)


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket as a list shows it."""

    id: UUID
    number: int
    state: State
    version: int
    reporter: str
    provider: str
    resource: str
    record: str
    opened_at: datetime
    moved_at: datetime
    due_on: date | None
    due_for: Duty | None
    due_provisional: bool | None


@dataclass(frozen=True, slots=True)
class Wish:
    """Which tickets are wanted; what is not set does not matter."""

    state: State | None = None
    reporter: str | None = None
    provider: str | None = None
    resource: str | None = None
    overdue_on: date | None = None
    """Only those with a duty that was due before that day."""
    visible_to: Parties | None = None
    """Only those that one of these departments has reported or has to verify."""


_COLUMNS: Final = tuple(
    TICKETS.c[name]
    for name in (
        "id",
        "number",
        "state",
        "version",
        "reporter",
        "provider",
        "resource",
        "record",
        "opened_at",
        "moved_at",
        "due_on",
        "due_for",
        "due_provisional",
    )
)


def load(connection: Connection, ticket: UUID, *, lock: bool = False) -> Filed | None:
    """A ticket with all its events; None where there is none of that id.

    Args:
        connection: inside the caller's transaction.
        ticket: its id.
        lock: whether others who want to act on the ticket wait until the transaction ends.

    Raises:
        DistrustTicket: the stored state is not what the events come to.
        UnknownForm: an event was written by a newer program.
    """
    wanted = select(TICKETS).where(TICKETS.c.id == ticket)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        return None
    filed = Filed(row.number, fold(opening_of(row.opening), map(event_of, _events(connection, row.id))))
    if (filed.version, filed.ticket.state.value) != (row.version, row.state):
        raise DistrustTicket(
            f"ticket {row.number} is stored as {row.state} at version {row.version}, its events come to "
            f"{filed.ticket.state.value} at {filed.version}"
        )
    return filed


def id_of(connection: Connection, number: int) -> UUID | None:
    """The id of the ticket with a number."""
    return connection.execute(select(TICKETS.c.id).where(TICKETS.c.number == number)).scalar_one_or_none()


def listed(
    connection: Connection, wish: Wish | None = None, before: int | None = None, limit: int = 50
) -> list[TicketLine]:
    """Tickets from the newest on; ``before`` is the number of the last one of the page before."""
    wanted = select(*_COLUMNS).where(*_conditions(wish or Wish()))
    if before is not None:
        wanted = wanted.where(TICKETS.c.number < before)
    return [_line(row) for row in connection.execute(wanted.order_by(TICKETS.c.number.desc()).limit(limit))]


def watched(connection: Connection, states: Sequence[State], limit: int = 10_000) -> list[UUID]:
    """The tickets in these states: those whose records are watched for a correction, oldest first."""
    wanted = select(TICKETS.c.id).where(TICKETS.c.state.in_([state.value for state in states]))
    return list(connection.execute(wanted.order_by(TICKETS.c.number).limit(limit)).scalars())


def versions(connection: Connection, states: Sequence[State]) -> dict[UUID, int]:
    """The tickets in these states with the version of each, oldest first."""
    wanted = select(TICKETS.c.id, TICKETS.c.version)
    wanted = wanted.where(TICKETS.c.state.in_([state.value for state in states])).order_by(TICKETS.c.number)
    return {row.id: row.version for row in connection.execute(wanted)}


def _events(connection: Connection, ticket: UUID) -> list[Any]:
    wanted = select(EVENTS.c.document).where(EVENTS.c.ticket_id == ticket).order_by(EVENTS.c.number)
    return list(connection.execute(wanted).scalars())


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    plain = (
        ("state", None if wish.state is None else wish.state.value),
        ("reporter", wish.reporter),
        ("provider", wish.provider),
        ("resource", wish.resource),
    )
    found: list[ColumnElement[bool]] = [
        TICKETS.c[name] == value for name, value in plain if value is not None
    ]
    if wish.overdue_on is not None:
        found.append(TICKETS.c.due_on < wish.overdue_on)
    if wish.visible_to is not None:
        found.append(wish.visible_to.among(TICKETS.c.reporter, TICKETS.c.provider))
    return found


def _line(row: Row[Any]) -> TicketLine:
    duty = None if row.due_for is None else Duty(row.due_for)
    return TicketLine(**{**row._mapping, "state": State(row.state), "due_for": duty})
