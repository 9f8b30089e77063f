"""Reads the notice of a year from a CSV file, and the years that the project brings along.

A calendar file has the columns date, kind, name and year, and the days of one notice: what it makes a holiday
and which weekend days are worked for it. A database fills its table of days from the same rows.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources as packaged
from pathlib import Path
from typing import Final

from services.control.clocks.calendar import (
    CHINA,
    FIXED_FEASTS,
    Calendar,
    CalendarDay,
    DayKind,
    calendar_of,
    reaches_back_to,
)
from services.control.definition_error import DefinitionError

COLUMNS: Final = ("date", "kind", "name", "year")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR: Final = re.compile(r"(19|20|21)[0-9]{2}")
_TWO_DAYS_OF_MAY: Final = 2025
"""2 May is a statutory holiday since then."""


class CalendarInvalid(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """The file is no calendar of a year: correct each of ``errors``."""

    def __init__(self, errors: Sequence[DefinitionError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: tuple[str, ...]


def packaged_years() -> Path:
    """The folder of the years that the project brings along, wherever it is installed."""
    return Path(str(packaged.files("services.control") / "clocks" / "calendars" / CHINA))


@cache
def china() -> Calendar:
    """The calendar of the years that the project brings along."""
    files = sorted(packaged_years().glob("*.csv"))
    return calendar_of(CHINA, [day for path in files for day in read_year(path, path.name)])


def read_year(path: Path, shown: str) -> tuple[CalendarDay, ...]:
    """The days of one year's notice.

    Args:
        path: the file.
        shown: how errors shall name it.

    Raises:
        CalendarInvalid: with everything that is wrong with the file.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CalendarInvalid(
            [_at(shown, 1, "", f"cannot be read: {error.strerror}", "give a file that is there")]
        ) from error
    except UnicodeDecodeError as error:
        problem, remedy = f"not UTF-8 at byte {error.start}", "save the file as CSV UTF-8"
        raise CalendarInvalid([_at(shown, 1, "", problem, remedy)]) from error
    return parse_year(text, shown)


def parse_year(text: str, shown: str) -> tuple[CalendarDay, ...]:
    """The days of one year's notice, from the text of its file.

    Raises:
        CalendarInvalid: with everything that is wrong with the text.
    """
    rows = _rows(text)
    if not rows or rows[0].cells != COLUMNS:
        remedy = f"begin the file with the line {','.join(COLUMNS)}"
        raise CalendarInvalid([_at(shown, 1, "", "has other columns than a calendar", remedy)])
    year = next((row.cells[3] for row in rows[1:] if len(row.cells) == len(COLUMNS)), "")
    if not _YEAR.fullmatch(year):
        remedy = "write the year of the notice into the column year of each line"
        raise CalendarInvalid([_at(shown, 2, "year", "the year is missing or no year", remedy)])
    days: dict[date, CalendarDay] = {}
    errors: list[DefinitionError] = []
    for row in rows[1:]:
        found = _day(row, int(year), shown)
        if isinstance(found, CalendarDay) and found.day in days:
            errors.append(
                _at(shown, row.line, "date", f"{found.day} stands there twice", "keep one of the two")
            )
        elif isinstance(found, CalendarDay):
            days[found.day] = found
        else:
            errors.extend(found)
    errors.extend(_missing(days, int(year), shown, rows[-1].line) if not errors else ())
    if errors:
        raise CalendarInvalid(errors)
    return tuple(days[each] for each in sorted(days))


def written(days: Iterable[CalendarDay]) -> str:
    """The text of a calendar file with these days."""
    lines = [",".join(COLUMNS), *(f"{each.day},{each.kind},{each.name},{each.year}" for each in days)]
    return "\n".join(lines) + "\n"


def _rows(text: str) -> list[_Row]:
    reader = csv.reader(text.splitlines())
    rows = ((reader.line_num, tuple(cell.strip() for cell in cells)) for cells in reader)
    return [_Row(line, cells) for line, cells in rows if any(cells)]


def _day(row: _Row, year: int, shown: str) -> CalendarDay | list[DefinitionError]:
    if len(row.cells) != len(COLUMNS):
        remedy = f"give each line the columns {', '.join(COLUMNS)}"
        return [_at(shown, row.line, "", f"has {len(row.cells)} cells", remedy)]
    day, kind = _date(row.cells[0]), row.cells[1]
    problems = [
        *_kind_problems(day, kind),
        *_date_problems(row.cells[0], day, year),
        *([] if row.cells[2] else [("name", "the name is missing", "write which holiday it belongs to")]),
        *_year_problems(row.cells[3], year),
    ]
    if problems or day is None:
        return [_at(shown, row.line, *each) for each in problems]
    return CalendarDay(day, DayKind(kind), row.cells[2], year)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _date_problems(text: str, day: date | None, year: int) -> Iterator[tuple[str, str, str]]:
    if day is None:
        yield "date", f"{text!r} is no date", "write it as 2027-02-06"
    elif not reaches_back_to(year) <= day < reaches_back_to(year + 1):
        first, last = reaches_back_to(year), reaches_back_to(year + 1) - timedelta(days=1)
        remedy = f"the notice of {year} is about days from {first} to {last}"
        yield "date", f"{day} is a day of another year", f"take the line out: {remedy}"


def _kind_problems(day: date | None, kind: str) -> Iterator[tuple[str, str, str]]:
    if kind not in set(DayKind):
        yield "kind", f"{kind!r} is no kind of day", f"write one of: {', '.join(DayKind)}"
    elif kind == DayKind.MAKE_UP and day is not None and day.isoweekday() <= 5:
        remedy = "correct the date, or take the line out"
        yield "kind", f"{day} is worked anyway, it is no Saturday or Sunday", remedy


def _year_problems(text: str, year: int) -> Iterator[tuple[str, str, str]]:
    if text != str(year):
        remedy = "put each year's notice into a file of its own"
        yield "year", f"{text!r} is another year than {year}, which the file begins with", remedy


def _missing(days: dict[date, CalendarDay], year: int, shown: str, line: int) -> Iterator[DefinitionError]:
    """Statutory holidays that every year has: without them the file was cut off or is a part of the year."""
    for month, day in sorted(FIXED_FEASTS):
        feast = date(year, month, day)
        named = days.get(feast)
        if (month, day) == (5, 2) and year < _TWO_DAYS_OF_MAY:
            continue
        if named is None or named.kind is not DayKind.HOLIDAY:
            remedy = "take over the whole notice, also the holidays that fall on a weekend"
            yield _at(shown, line, "date", f"{feast} is a holiday by law and not among the days", remedy)


def _at(shown: str, line: int, field: str, problem: str, remedy: str) -> DefinitionError:
    return DefinitionError(shown, line, field, problem, remedy)
