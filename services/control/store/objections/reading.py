"""Reads objections: folded from their events, each with the clock of the policy that it began under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select

from services.control.cases.words import Actor, Role
from services.control.clocks.calendar import Calendar, Due
from services.control.clocks.running import due_of
from services.control.objections.clock import Clock, clock_of
from services.control.objections.objection import Event, Given, Objection, Opening, fold
from services.control.objections.words import Action, State
from services.control.store.cases.policies import Policies
from services.control.store.objections.tables import EVENTS, OBJECTIONS
from services.control.store.parties import Parties


@dataclass(frozen=True, slots=True)
class Filed:
    """An objection as it is kept, with its clock; ``number`` is what people call it by."""

    number: int
    objection: Objection
    clock: Clock | None

    @property
    def version(self) -> int:
        """How many events it has: who changes it names the version that he has seen."""
        return len(self.objection.events)

    def due(self, calendar: Calendar) -> Due | None:
        """Until when it has to be answered; None where no clock runs, or it was answered."""
        return None if self.clock is None or self.clock.run.met else due_of(self.clock.run, calendar)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which objections are wanted; what is not set does not matter."""

    state: State | None = None
    provider: str | None = None
    visible_to: Parties | None = None


def load(connection: Connection, number: int, *, lock: bool = False) -> Filed | None:
    """An objection with all its events; None where there is none of that number."""
    wanted = select(OBJECTIONS).where(OBJECTIONS.c.number == number)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        return None
    events = _events(connection, [row.id]).get(row.id, ())
    return _filed(row, events, Policies(connection))


def listed(
    connection: Connection,
    wish: Wish | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Filed]:
    """Objections from the newest on; ``before`` is the number of the last one of the page before."""
    wanted = select(OBJECTIONS).where(*_conditions(wish or Wish()))
    if before is not None:
        wanted = wanted.where(OBJECTIONS.c.number < before)
    rows = connection.execute(wanted.order_by(OBJECTIONS.c.number.desc()).limit(limit)).all()
    events, policies = _events(connection, [row.id for row in rows]), Policies(connection)
    return [_filed(row, events.get(row.id, ()), policies) for row in rows]


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wish.state is not None:
        found.append(OBJECTIONS.c.state == wish.state.value)
    if wish.provider is not None:
        found.append(OBJECTIONS.c.provider == wish.provider)
    if wish.visible_to is not None:
        found.append(wish.visible_to.among(OBJECTIONS.c.department, OBJECTIONS.c.provider))
    return found


def _filed(row: Row[Any], events: Sequence[Event], policies: Policies) -> Filed:
    opening = Opening(
        id=row.id,
        who=Actor(row.person, Role(row.role), row.department),
        when=row.received_at,
        entry=row.entry_id,
        name=row.name,
        provider=row.provider,
        text=row.text,
        reference=row.reference,
    )
    objection = fold(opening, events)
    return Filed(row.number, objection, clock_of(objection, policies.at(opening.when)))


def _events(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Event]]:
    wanted = select(EVENTS).where(EVENTS.c.objection_id.in_(ids)).order_by(EVENTS.c.number)
    found: dict[UUID, list[Event]] = {}
    for row in connection.execute(wanted):
        given = Given(row.text, row.basis, row.days, row.approver)
        who = Actor(row.person, Role(row.role), row.department)
        found.setdefault(row.objection_id, []).append(
            Event(row.number, Action(row.action), who, row.at, given)
        )
    return found
