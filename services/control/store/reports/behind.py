"""The rows behind each figure of a report; the figure is their number, or the sum of their weights.

One statement for each figure: counted by department for the report, listed for whoever follows the link. So
a figure and what stands behind it cannot differ, unless something happened in between.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, literal, or_, select

from services.control.cases import words as cases
from services.control.catalogue import lifecycle as catalogue
from services.control.reports.words import Measure
from services.control.store.cases.tables import CASES, CLOCKS
from services.control.store.cases.tables import EVENTS as CASE_EVENTS
from services.control.store.catalogue.tables import ENTRIES, STEPS
from services.control.store.demand.tables import NEEDS
from services.control.store.objections.tables import OBJECTIONS
from services.control.store.snapshots import SNAPSHOTS
from services.control.store.snapshots import Kind as Seen
from services.control.store.tickets.tables import TICKETS
from services.control.tickets.words import State as TicketState
from topics.quality.values import CIVIL_TIME

Rows = Select[Any]
"""Columns ``department``, ``path``, ``label``, ``at`` and ``weight``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was counted: whose, what, when, where it stands, and how much it counts."""

    department: str
    path: str
    label: str
    at: datetime | None
    weight: int


@dataclass(frozen=True, slots=True)
class Year:
    """A year of official time: from its first moment to before that of the next."""

    begin: datetime
    end: datetime
    today: date
    """What is due before it and not done is late."""

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a moment is in it."""
        return and_(column >= self.begin, column < self.end)


def year_of(year: int, today: date) -> Year:
    """A year as the calendar on the wall says it."""
    begin, end = (datetime(each, 1, 1, tzinfo=CIVIL_TIME) for each in (year, year + 1))
    return Year(begin, end, today)


def counted(connection: Connection, measure: Measure, year: Year) -> dict[str, int]:
    """The figure by department."""
    rows = STATEMENTS[measure](year).subquery()
    asked = select(rows.c.department, func.sum(rows.c.weight).label("weight")).group_by(rows.c.department)
    return {row.department: int(row.weight) for row in connection.execute(asked)}


def listed(
    connection: Connection, measure: Measure, year: Year, department: str, start: int, limit: int
) -> tuple[list[Row], int, int]:
    """Some of the rows, how many there are, and what they all add up to.

    Args:
        connection: inside the caller's transaction.
        measure: one of ``STATEMENTS``.
        year: which.
        department: only this one's; empty for all.
        start: how many are passed over.
        limit: how many at most.
    """
    rows = STATEMENTS[measure](year).subquery()
    only = [rows.c.department == department] if department else []
    sums = select(func.count(), func.coalesce(func.sum(rows.c.weight), 0)).select_from(rows).where(*only)
    count, weight = connection.execute(sums).one()
    order = (rows.c.at.desc().nulls_last(), rows.c.label, rows.c.path)
    some = select(rows).where(*only).order_by(*order).offset(start).limit(limit)
    found = [
        Row(each.department, each.path, each.label, each.at, int(each.weight))
        for each in connection.execute(some)
    ]
    return found, int(count), int(weight)


def _rows(
    department: ColumnElement[Any],
    path: ColumnElement[Any],
    label: ColumnElement[Any],
    at: ColumnElement[Any],
    weight: ColumnElement[Any] | None = None,
) -> Rows:
    weighs = literal(1) if weight is None else weight
    return select(
        func.coalesce(department, "").label("department"),
        path.label("path"),
        func.coalesce(label, "").label("label"),
        at.label("at"),
        weighs.label("weight"),
    )


def _path(before: str, id_: ColumnElement[Any]) -> ColumnElement[Any]:
    return literal(before).concat(cast(id_, Text))


def _entries(_year: Year) -> Rows:
    rows = _rows(
        ENTRIES.c.department, _path("/catalogue/entries/", ENTRIES.c.id), ENTRIES.c.name, ENTRIES.c.changed_at
    )
    return rows.where(ENTRIES.c.published.is_not(None))


def _published(year: Year) -> Rows:
    path = _path("/catalogue/entries/", ENTRIES.c.id)
    rows = _rows(ENTRIES.c.department, path, ENTRIES.c.name, STEPS.c.acted_at)
    joined = rows.select_from(STEPS.join(ENTRIES, ENTRIES.c.id == STEPS.c.entry_id))
    return joined.where(STEPS.c.action == catalogue.Action.PUBLISH.value, year.holds(STEPS.c.acted_at))


def _mounted(*states: str) -> Callable[[Year], Rows]:
    def rows(_year: Year) -> Rows:
        path = _path("/catalogue/entries/", ENTRIES.c.id)
        found = _rows(ENTRIES.c.department, path, ENTRIES.c.name, SNAPSHOTS.c.as_of)
        joined = found.select_from(SNAPSHOTS.join(ENTRIES, ENTRIES.c.code == SNAPSHOTS.c.name))
        state = SNAPSHOTS.c.document["state"].astext
        return joined.where(
            SNAPSHOTS.c.kind == Seen.MOUNTING.value, state.in_(states), ENTRIES.c.published.is_not(None)
        )

    return rows


def _cases(whose: ColumnElement[Any], *states: cases.State, opened: bool = False) -> Callable[[Year], Rows]:
    def rows(year: Year) -> Rows:
        found = _rows(whose, _path("/cases/", CASES.c.id), CASES.c.resource, CASES.c.opened_at)
        asked = [year.holds(CASES.c.opened_at), CASES.c.state != cases.State.DRAFT.value] if opened else []
        among = [CASES.c.state.in_([each.value for each in states])] if states else []
        return found.where(*asked, *among)

    return rows


def _decided(*actions: cases.Action) -> Callable[[Year], Rows]:
    def rows(year: Year) -> Rows:
        found = _rows(CASES.c.provider, _path("/cases/", CASES.c.id), CASES.c.resource, CASE_EVENTS.c.at)
        joined = found.select_from(CASE_EVENTS.join(CASES, CASES.c.id == CASE_EVENTS.c.case_id))
        return joined.where(
            CASE_EVENTS.c.action.in_([each.value for each in actions]), year.holds(CASE_EVENTS.c.at)
        )

    return rows


def _late(year: Year) -> Rows:
    """Duties of providers whose last day was in the year, done too late or not at all."""
    found = _rows(CASES.c.provider, _path("/cases/", CASES.c.id), CLOCKS.c.key, CLOCKS.c.ended_at)
    joined = found.select_from(CLOCKS.join(CASES, CASES.c.id == CLOCKS.c.case_id))
    last = and_(CLOCKS.c.due_on >= year.begin.date(), CLOCKS.c.due_on < year.end.date())
    waits = and_(CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < year.today)
    return joined.where(
        CLOCKS.c.obliged == "provider",
        CLOCKS.c.advisory.is_(False),
        last,
        or_(CLOCKS.c.late.is_(True), waits),
    )


def _problems(year: Year) -> Rows:
    found = _rows(
        TICKETS.c.provider, _path("/tickets/", TICKETS.c.number), TICKETS.c.resource, TICKETS.c.opened_at
    )
    return found.where(year.holds(TICKETS.c.opened_at))


def _problems_open(_year: Year) -> Rows:
    ended = [TicketState.CLOSED.value, TicketState.WITHDRAWN.value]
    found = _rows(
        TICKETS.c.provider, _path("/tickets/", TICKETS.c.number), TICKETS.c.resource, TICKETS.c.opened_at
    )
    return found.where(TICKETS.c.state.not_in(ended))


def _needs(year: Year) -> Rows:
    found = _rows(NEEDS.c.department, _path("/demand/", NEEDS.c.number), NEEDS.c.subject, NEEDS.c.stated_at)
    return found.where(year.holds(NEEDS.c.stated_at))


def _objections(year: Year) -> Rows:
    path = _path("/objections/", OBJECTIONS.c.number)
    found = _rows(OBJECTIONS.c.provider, path, OBJECTIONS.c.name, OBJECTIONS.c.received_at)
    return found.where(year.holds(OBJECTIONS.c.received_at))


_APPROVED: Final = (cases.Action.APPROVE, cases.Action.APPROVE_IN_PART)
STATEMENTS: Final[Mapping[Measure, Callable[[Year], Rows]]] = {
    Measure.ENTRIES: _entries,
    Measure.PUBLISHED: _published,
    Measure.MOUNTED: _mounted("fresh", "stale"),
    Measure.FRESH: _mounted("fresh"),
    Measure.ASKED: _cases(CASES.c.provider, opened=True),
    Measure.ANSWERED: _decided(*_APPROVED),
    Measure.REFUSED: _decided(cases.Action.REFUSE),
    Measure.LATE: _late,
    Measure.ACTIVE: _cases(CASES.c.provider, cases.State.ACTIVE),
    Measure.REQUESTED: _cases(CASES.c.consumer, opened=True),
    Measure.USED: _cases(CASES.c.consumer, cases.State.ACTIVE),
    Measure.PROBLEMS: _problems,
    Measure.PROBLEMS_OPEN: _problems_open,
    Measure.NEEDS: _needs,
    Measure.OBJECTIONS: _objections,
}
"""The figures that tables answer; the others are in ``seen.py``."""
