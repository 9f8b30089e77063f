"""Makes a report from the tables and from what was seen of the bus: at one moment, in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.control.clocks.calendar import Calendar, civil_day
from services.control.reports.report import Appendix, Counts, Fulfilled, Line, Report, Scope, made
from services.control.reports.words import APPENDIX, FIGURES, Measure
from services.control.store import snapshots
from services.control.store.accounts.departments import departments
from services.control.store.reports import behind, seen
from services.control.store.reports.behind import Row, year_of
from services.control.store.reports.seen import Asking
from services.control.store.snapshots import Kind

_MOST_LINES: Final = 10_000
"""Of a list; how many more there are is said."""
_RESTS_ON = (Kind.LEDGER, Kind.MOUNTING, Kind.CENSUS)


@dataclass(frozen=True, slots=True)
class Behind:
    """Some of the rows behind a figure, how many there are, and the figure."""

    rows: tuple[Row, ...]
    count: int
    value: int


def make(connection: Connection, calendar: Calendar, now: datetime, scope: Scope) -> Report:
    """The report as of now; the same transaction sees the same.

    Args:
        connection: one that sees everything as it was at one moment.
        calendar: the working days, by which lateness is counted.
        now: the time, with its zone.
        scope: which report.
    """
    asking = Asking(connection, calendar, now, scope.year)
    counts = {measure: _counted(asking, measure) for measure in FIGURES[scope.kind]}
    names = {each.id: each.zh for each in departments(connection)}
    looks = {kind.value: snapshots.all_of(connection, kind).as_of for kind in _RESTS_ON}
    when = {kind: None if at is None else at.isoformat() for kind, at in looks.items()}
    return made(scope, now, counts, names, when, _appendix(asking, scope))


def rows_behind(
    asking: Asking, measure: Measure, department: str = "", start: int = 0, limit: int = 50
) -> Behind:
    """What stands behind a figure of one department, or of all."""
    if measure in behind.STATEMENTS:
        year = year_of(asking.year, civil_day(asking.now))
        rows, count, value = behind.listed(asking.connection, measure, year, department, start, limit)
        return Behind(tuple(rows), count, value)
    found = [each for each in seen.rows_of(asking, measure) if department in ("", each.department)]
    return Behind(tuple(found[start : start + limit]), len(found), sum(each.weight for each in found))


def _appendix(asking: Asking, scope: Scope) -> Appendix | None:
    """The rows of a list, what is not done first."""
    measure = APPENDIX.get(scope.kind)
    if measure is None:
        return None
    met = set(seen.rows_of(asking, Measure.FULFILLED)) if measure is Measure.DUTIES else None
    rows = [each for each in seen.rows_of(asking, measure) if scope.department in ("", each.department)]
    lines = sorted((_line(each, met) for each in rows), key=_order)
    return Appendix(measure, tuple(lines[:_MOST_LINES]), max(0, len(lines) - _MOST_LINES))


def _line(row: Row, met: Collection[Row] | None) -> Line:
    at = None if row.at is None else row.at.isoformat()
    state = None if met is None else Fulfilled.YES if row in met else Fulfilled.NO
    return Line(row.department, row.label, at, row.path, state)


def _order(line: Line) -> tuple[bool, str, str, str]:
    return line.state is Fulfilled.YES, line.department, line.at or "", line.label


def _counted(asking: Asking, measure: Measure) -> Counts:
    if measure in behind.STATEMENTS:
        return behind.counted(asking.connection, measure, year_of(asking.year, civil_day(asking.now)))
    return seen.counted(seen.rows_of(asking, measure))
