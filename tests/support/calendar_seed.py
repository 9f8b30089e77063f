"""Makes the calendar files of the project from the package chinesecalendar; no part of what is installed.

``python -m tests.support.calendar_seed`` writes the years that the installed release knows.
"""

from collections import defaultdict
from pathlib import Path

from chinese_calendar import constants

from services.control.clocks.calendar import CalendarDay, DayKind, reaches_back_to
from services.control.clocks.calendar_file import packaged_years, written

_CHINESE = {each.value: each.chinese for each in constants.Holiday}


def notices() -> dict[int, list[CalendarDay]]:
    """The days of each year's notice, as the package knows them."""
    found: dict[int, list[CalendarDay]] = defaultdict(list)
    for kind, days in ((DayKind.HOLIDAY, constants.holidays), (DayKind.MAKE_UP, constants.workdays)):
        for day, name in days.items():
            year = day.year + (day >= reaches_back_to(day.year + 1))
            found[year].append(CalendarDay(day, kind, _CHINESE[name], year))
    return {year: sorted(days, key=lambda each: each.day) for year, days in sorted(found.items())}


def write_years(folder: Path) -> None:
    """Write one file per year."""
    for year, days in notices().items():
        (folder / f"{year}.csv").write_text(written(days), encoding="utf-8")


if __name__ == "__main__":
    write_years(packaged_years())
