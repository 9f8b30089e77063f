"""Which days are working days: weekdays and weekends, as the yearly notices on holidays change them.

The State Council announces the holidays of a year and the weekend days worked for them (调休) in the autumn
before. A year without its notice is not guessed in silence: what is counted through it is provisional.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from topics.quality.values import CIVIL_TIME

FIXED_FEASTS: Final = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
"""Month and day of the statutory holidays with the same date every year: New Year, Labour Day, National Day.

By 《全国年节及纪念日放假办法》第二条, as of 2025. Those of the lunar calendar wait for the year's notice."""

CHINA: Final = "cn"
"""The calendar of the State Council's notices."""

_REACHES_BACK_TO: Final = (12, 29)
"""A notice begins with the New Year holiday, which has moved days since 29 December of the year before."""

_SATURDAY: Final = 5


class DayKind(StrEnum):
    """How a notice changes a day."""

    HOLIDAY = "holiday"
    MAKE_UP = "make-up"
    """A Saturday or Sunday that is worked (调休)."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that a notice names: one row of a calendar file."""

    day: date
    kind: DayKind
    name: str
    """The holiday that it belongs to, such as 春节."""
    year: int
    """The year whose notice names it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A day that was counted out."""

    day: date
    provisional: bool
    """It was counted through days of a year whose notice is not there yet."""
    waits_for: int | None
    """The year whose notice may still move it: count again when that year is there. Also set where only the
    last days of a known December are concerned, and then the day is not provisional."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the notices that are there; ``years`` are the years that they cover."""

    id: str
    days: Mapping[date, CalendarDay]
    years: frozenset[int]

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day; in a year without a notice Monday to Friday but fixed feasts."""
        named = self.days.get(day)
        if named is not None:
            return named.kind is DayKind.MAKE_UP
        if day.weekday() >= _SATURDAY:
            return False
        return day.year in self.years or (day.month, day.day) not in FIXED_FEASTS

    def due(self, day: date, first: date, last: date) -> Due:
        """A day that was found by looking at all days from ``first`` to ``last``, with what it depends on."""
        unknown = next((year for year in range(first.year, last.year + 1) if year not in self.years), None)
        if unknown is not None:
            return Due(day, provisional=True, waits_for=unknown)
        following = last.year + 1
        moves = following not in self.years and last >= reaches_back_to(following)
        return Due(day, provisional=False, waits_for=following if moves else None)


def calendar_of(id_: str, days: Iterable[CalendarDay]) -> Calendar:
    """The calendar that these days make; it covers the years whose notices they come from."""
    known = {each.day: each for each in sorted(days, key=lambda each: (each.year, each.day))}
    return Calendar(id_, MappingProxyType(known), frozenset(each.year for each in known.values()))


def with_year(calendar: Calendar, year: int, days: Iterable[CalendarDay]) -> Calendar:
    """The calendar with this notice instead of the one that it had for the year, if it had one."""
    kept = [each for each in calendar.days.values() if each.year != year]
    return calendar_of(calendar.id, [*kept, *days])


def reaches_back_to(year: int) -> date:
    """The first day that the notice of a year can change: dates from here on are counted again with it."""
    return date(year - 1, *_REACHES_BACK_TO)


def civil_day(instant: datetime) -> date:
    """The day in Beijing time that an instant belongs to.

    Raises:
        ValueError: the instant has no time zone, so nobody can tell.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    return instant.astimezone(CIVIL_TIME).date()
