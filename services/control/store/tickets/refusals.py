"""Refusals to correct a record, each with its reason and what came of it (requirement A9-08).

Whether a refusal was unlawful, a ruling says: one that was overruled had the record wrong all along.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

from services.control.store.parties import Parties
from services.control.store.tickets.tables import EVENTS, TICKETS
from services.control.tickets.words import Action, RefusalReason


class Outcome(StrEnum):
    """What came of a refusal."""

    STANDS = "stands"
    """Nobody went further, or not yet."""
    ACCEPTED = "accepted"
    """The reporter agrees."""
    ESCALATED = "escalated"
    """A body has it before it."""
    OVERRULED = "overruled"
    """A ruling had the provider correct the record."""
    UPHELD = "upheld"
    """A ruling found the record right."""
    CORRECTED = "corrected"
    """The provider corrected the record after all."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RefusalLine:
    """A refusal to correct, of one ticket; a ticket that was reopened may have several."""

    ticket: UUID
    number: int
    provider: str
    reporter: str
    resource: str
    event: int
    """The number of the event of the ticket."""
    refused_at: datetime
    reason: RefusalReason
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Wish:
    """Which refusals are wanted; what is not set does not matter."""

    provider: str | None = None
    outcome: Outcome | None = None
    visible_to: Parties | None = None


_OUTCOMES: Final = {
    Action.ESCALATE.value: Outcome.ESCALATED,
    Action.UPHOLD.value: Outcome.OVERRULED,
    Action.DISMISS.value: Outcome.UPHELD,
    Action.ARRIVE.value: Outcome.CORRECTED,
    Action.WITHDRAW.value: Outcome.WITHDRAWN,
    Action.CONFIRM.value: Outcome.ACCEPTED,
}
"""What an action after a refusal says of it; the last one that says anything of the refusal counts."""
_DECIDED: Final = frozenset(_OUTCOMES.values()) - {Outcome.ESCALATED}
_AFTER: Final = (*_OUTCOMES, Action.REFUSE.value)


Place = tuple[datetime, int, int]
"""Where a page ends: when it was refused, the number of the ticket, and of its event."""


def refusals(
    connection: Connection, wish: Wish | None = None, limit: int = 500, after: Place | None = None
) -> list[RefusalLine]:
    """Refusals to correct, the newest first; ``after`` is the last one of the page before."""
    asked = wish or Wish()
    found: list[RefusalLine] = []
    # What came of one is found out by what followed it, so whoever asks for that has more of them looked at.
    while len(found) < limit:
        some = _some(connection, asked, limit, after)
        found += [each for each in some if asked.outcome in (None, each.outcome)]
        if len(some) < limit:
            break
        after = (some[-1].refused_at, some[-1].number, some[-1].event)
    return found[:limit]


def _some(connection: Connection, asked: Wish, limit: int, after: Place | None) -> list[RefusalLine]:
    order = (EVENTS.c.at, TICKETS.c.number, EVENTS.c.number)
    wanted = (
        select(EVENTS, TICKETS.c.number.label("called"), TICKETS.c.provider, TICKETS.c.reporter)
        .add_columns(TICKETS.c.resource)
        .join(TICKETS, TICKETS.c.id == EVENTS.c.ticket_id)
        .where(EVENTS.c.action == Action.REFUSE.value, *_conditions(asked))
        .order_by(*(each.desc() for each in order))
    )
    if after is not None:
        wanted = wanted.where(tuple_(*order) < after)
    rows = connection.execute(wanted.limit(limit)).all()
    later = _later(connection, [row.ticket_id for row in rows])
    return [_line(row, later.get(row.ticket_id, [])) for row in rows]


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wish.provider is not None:
        found.append(TICKETS.c.provider == wish.provider)
    if wish.visible_to is not None:
        found.append(wish.visible_to.among(TICKETS.c.reporter, TICKETS.c.provider))
    return found


def _later(connection: Connection, tickets: list[UUID]) -> dict[UUID, list[tuple[int, str]]]:
    wanted = select(EVENTS.c.ticket_id, EVENTS.c.number, EVENTS.c.action)
    wanted = wanted.where(EVENTS.c.ticket_id.in_(tickets), EVENTS.c.action.in_(_AFTER))
    found: dict[UUID, list[tuple[int, str]]] = {}
    for row in connection.execute(wanted.order_by(EVENTS.c.ticket_id, EVENTS.c.number)):
        found.setdefault(row.ticket_id, []).append((row.number, row.action))
    return found


def _line(row: Row[Any], events: list[tuple[int, str]]) -> RefusalLine:
    return RefusalLine(
        ticket=row.ticket_id,
        number=row.called,
        provider=row.provider,
        reporter=row.reporter,
        resource=row.resource,
        event=row.number,
        refused_at=row.at,
        reason=RefusalReason(row.document["refusal_reason"]),
        outcome=_outcome([action for number, action in events if number > row.number]),
    )


def _outcome(after: list[str]) -> Outcome:
    """What the first decision after it says; until there is one, whether it went to a higher body."""
    found = Outcome.STANDS
    for action in after:
        if action == Action.REFUSE.value:
            break
        found = _OUTCOMES[action]
        if found in _DECIDED:
            break
    return found
