"""Calendars of working days in the store: read whole, and renewed by the year of a notice."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.control.clocks.calendar import CHINA, Calendar, CalendarDay, DayKind, calendar_of
from services.control.store.clocks.tables import DAYS, YEARS
from services.control.store.outbox import Act, answering, append

KIND: Final = "calendar-year"


def read_calendar(connection: Connection, calendar: str = CHINA) -> Calendar:
    """The days of all notices that are there."""
    return calendar_of(calendar, _days(connection, calendar))


def import_year(
    connection: Connection,
    days: Sequence[CalendarDay],
    who: str,
    when: datetime,
    calendar: str = CHINA,
    recorder: str = "",
) -> bool:
    """Take the notice of a year instead of the one that was there; return whether it says anything new.

    Who counts deadlines must then count again what ``waits_for`` this year. ``recorder`` is the account that
    enters it, where that is not the one that answers for it.

    Raises:
        ValueError: the days are none, or of several years.
    """
    years = {each.year for each in days}
    if len(years) != 1:
        raise ValueError(f"a notice is about one year, not {len(years)}")
    year = years.pop()
    first = {"calendar": calendar, "year": year, "edition": 1, "imported_at": when, "imported_by": who}
    statement = (
        upsert(YEARS)
        .values(first)
        .on_conflict_do_update(
            index_elements=[YEARS.c.calendar, YEARS.c.year],
            set_={"edition": YEARS.c.edition + 1, "imported_at": when, "imported_by": who},
        )
    )
    before = _same_year(connection, calendar, year)
    if before == tuple(sorted(days, key=lambda each: each.day)):
        return False
    edition = connection.execute(statement.returning(YEARS.c.edition)).scalar_one()
    own = (DAYS.c.calendar == calendar) & (DAYS.c.year == year)
    connection.execute(delete(DAYS).where(own))
    connection.execute(insert(DAYS), [_values(calendar, each) for each in days])
    account, told = answering(who, recorder)
    facts = {"edition": edition, "days": len(days), **told}
    append(connection, Act(account, "calendar.import", KIND, f"{calendar}/{year}", when, facts=facts))
    return True


def known_years(connection: Connection, calendar: str = CHINA) -> frozenset[int]:
    """The years whose notice is there."""
    found = connection.execute(select(YEARS.c.year).where(YEARS.c.calendar == calendar))
    return frozenset(found.scalars())


def _same_year(connection: Connection, calendar: str, year: int) -> tuple[CalendarDay, ...]:
    # One importer of a year at a time: the lock is given back at the end of the transaction.
    key = func.hashtextextended(f"calendar {calendar} {year}", 0)
    connection.execute(select(func.pg_advisory_xact_lock(key)))
    return tuple(each for each in _days(connection, calendar) if each.year == year)


def _days(connection: Connection, calendar: str) -> Iterable[CalendarDay]:
    statement = select(DAYS).where(DAYS.c.calendar == calendar).order_by(DAYS.c.year, DAYS.c.day)
    for row in connection.execute(statement):
        yield CalendarDay(row.day, DayKind(row.kind), row.name, row.year)


def _values(calendar: str, day: CalendarDay) -> dict[str, object]:
    kind = day.kind.value
    return {"calendar": calendar, "year": day.year, "day": day.day, "kind": kind, "name": day.name}
