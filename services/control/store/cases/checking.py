"""Proves that what is stored of cases is what their events come to, column by column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select

from services.control.clocks.calendar import Calendar
from services.control.docket.case_clocks import due_lines
from services.control.docket.filed import Filed, clock_rows, folded, step_rows
from services.control.store.cases.reading import each_case
from services.control.store.cases.tables import CLOCKS, STEPS

_MANY: Final = 500


@dataclass(frozen=True, slots=True)
class Differing:
    """A case of which something is stored that its events do not come to."""

    case: int
    where: str
    """The column, or the table of its steps, clocks or numbers of events."""
    stored: str
    folded: str


def differences(connection: Connection, calendar: Calendar, after: int = 0) -> Iterator[Differing]:
    """Yield everything that is stored of a case and is not the fold of its events, in the order of numbers.

    Days that were counted before a year's notice came differ until they are counted anew: sweep first.
    """
    while True:
        some = list(each_case(connection, after, _MANY))
        steps = _rows(connection, STEPS, [row.id for row, _ in some])
        clocks = _rows(connection, CLOCKS, [row.id for row, _ in some])
        for row, filed in some:
            yield from _of_case(row, filed, steps.get(row.id, []), clocks.get(row.id, []), calendar)
        if len(some) < _MANY:
            return
        after = some[-1][0].number


def _of_case(
    row: Row[Any],
    filed: Filed,
    steps: Sequence[dict[str, Any]],
    clocks: Sequence[dict[str, Any]],
    calendar: Calendar,
) -> Iterator[Differing]:
    lines = due_lines(filed.clocks, calendar)
    for name, value in folded(filed.case, lines).items():
        if getattr(row, name) != value:
            yield Differing(row.number, name, str(getattr(row, name)), str(value))
    numbers = [event.number for event in filed.case.events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Differing(row.number, "events", str(numbers), f"1 to {len(numbers)}")
    yield from _of_rows(row.number, "steps", steps, step_rows(filed.case))
    yield from _of_rows(row.number, "clocks", clocks, clock_rows(lines))


def _of_rows(
    case: int, where: str, stored: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]
) -> Iterator[Differing]:
    names = wanted[0].keys() if wanted else ()
    cut = [{name: row[name] for name in names} for row in stored]
    if cut != list(wanted):
        yield Differing(case, where, str(cut), str(list(wanted)))


def _rows(connection: Connection, table: Table, cases: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    order = list(table.primary_key.columns)
    for row in connection.execute(select(table).where(table.c.case_id.in_(cases)).order_by(*order)):
        found.setdefault(row.case_id, []).append(row._asdict())
    return found
