"""Finds cases for which the time has come, by their ids, and notes what was told about their clocks."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, update

from services.control.docket.case_clocks import DueLine
from services.control.store.cases.tables import CASES, CLOCKS
from services.control.store.cases.writing import next_reminder

Find = Callable[[Connection, UUID | None], list[UUID]]
_UNTOLD: Final = and_(
    CLOCKS.c.breach_told_at.is_(None), or_(CLOCKS.c.ended_at.is_(None), CLOCKS.c.late.is_(True))
)
_OPEN: Final = CLOCKS.c.ended_at.is_(None)


def for_years(connection: Connection, years: Collection[int], after: UUID | None, limit: int) -> list[UUID]:
    """Cases with a day that waited for the notice of one of these years."""
    return _cases_of(connection, CLOCKS.c.waits_for.in_(years), after, limit)


def overdue(connection: Connection, today: date, after: UUID | None, limit: int) -> list[UUID]:
    """Cases with a duty that is overdue, or was done too late, of which nobody was told."""
    return _cases_of(connection, and_(_UNTOLD, CLOCKS.c.due_on < today), after, limit)


def reminders(connection: Connection, today: date, after: UUID | None, limit: int) -> list[UUID]:
    """Cases with a clock that is to remind."""
    return _cases_of(connection, and_(_OPEN, CLOCKS.c.next_reminder_on <= today), after, limit)


def ended(connection: Connection, today: date, after: UUID | None, limit: int) -> list[UUID]:
    """Cases whose last day is over."""
    wanted = select(CASES.c.id).where(CASES.c.ends_on < today)
    return _some(connection, wanted, CASES.c.id, after, limit)


def untold(connection: Connection, case: UUID, today: date) -> list[int]:
    """The numbers of a case's clocks that are overdue and of which nobody was told."""
    return _clocks_of(connection, case, and_(_UNTOLD, CLOCKS.c.due_on < today))


def reminding(connection: Connection, case: UUID, today: date) -> list[int]:
    """The numbers of a case's clocks that are to remind."""
    return _clocks_of(connection, case, and_(_OPEN, CLOCKS.c.next_reminder_on <= today))


def told(connection: Connection, case: UUID, clock: int, now: datetime) -> None:
    """Note that a clock's breach was told."""
    connection.execute(update(CLOCKS).where(*_is(case, clock)).values(breach_told_at=now))


def reminded(connection: Connection, case: UUID, line: DueLine, percent: int) -> None:
    """Note that a clock reminded at so many percent, and when it does so next."""
    values = {"reminded": percent, "next_reminder_on": next_reminder(line, percent)}
    connection.execute(update(CLOCKS).where(*_is(case, line.number)).values(values))


def due_days(connection: Connection, case: UUID) -> dict[int, tuple[date | None, bool]]:
    """The due day of each of a case's clocks as it is stored, and whether it is provisional."""
    wanted = select(CLOCKS.c.number, CLOCKS.c.due_on, CLOCKS.c.provisional).where(CLOCKS.c.case_id == case)
    return {row.number: (row.due_on, row.provisional) for row in connection.execute(wanted)}


def _cases_of(
    connection: Connection, condition: ColumnElement[bool], after: UUID | None, limit: int
) -> list[UUID]:
    wanted = select(CLOCKS.c.case_id).where(condition).distinct()
    return _some(connection, wanted, CLOCKS.c.case_id, after, limit)


def _some(
    connection: Connection,
    wanted: Select[Any],
    column: ColumnElement[UUID],
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    if after is not None:
        wanted = wanted.where(column > after)
    return list(connection.execute(wanted.order_by(column).limit(limit)).scalars())


def _clocks_of(connection: Connection, case: UUID, condition: ColumnElement[bool]) -> list[int]:
    wanted = select(CLOCKS.c.number).where(CLOCKS.c.case_id == case, condition).order_by(CLOCKS.c.number)
    return list(connection.execute(wanted).scalars())


def _is(case: UUID, clock: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return CLOCKS.c.case_id == case, CLOCKS.c.number == clock
