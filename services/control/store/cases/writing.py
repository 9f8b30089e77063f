"""Writes cases: the new events and everything that they come to, in the caller's one transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.cases.case import Opening, opened
from services.control.docket.case_clocks import DueLine
from services.control.docket.filed import Filed, clock_rows, folded, step_rows
from services.control.docket.written import event_document, opening_document
from services.control.store.cases.tables import CASES, CLOCKS, EVENTS, STEPS


def add(
    connection: Connection,
    opening: Opening,
    digest: str,
    facts: Mapping[str, str],
    entry_code: str,
    opened_at: datetime,
) -> int:
    """File a new case, a draft without events, and return the number by which people call it."""
    row = {
        "id": UUID(opening.id),
        "grant_id": opening.grant,
        "policy": digest,
        "facts": dict(facts),
        "opening": opening_document(opening),
        "opened_at": opened_at,
        "provider": opening.provider,
        "consumer": opening.applicant,
        "resource": opening.application.resource,
        "entry_code": entry_code,
        "moved_at": opened_at,
        **folded(opened(opening), ()),
    }
    number = connection.execute(CASES.insert().values(row).returning(CASES.c.number)).scalar_one()
    return int(number)


def record(connection: Connection, before: Filed, after: Filed, lines: tuple[DueLine, ...]) -> None:
    """Write what happened to a case, which the caller holds locked.

    Args:
        connection: inside the caller's transaction.
        before: the case as it was loaded with its lock.
        after: the same case with at least one event more.
        lines: its clocks, counted by the calendar that is known now.
    """
    case = UUID(after.case.opening.id)
    fresh = after.case.events[before.version :]
    recorders = after.recorders[before.version :]
    connection.execute(
        EVENTS.insert(),
        [
            {
                "case_id": case,
                "number": event.number,
                "action": event.action.value,
                "at": event.when,
                "recorder": recorder,
                "document": event_document(event),
            }
            for event, recorder in zip(fresh, recorders, strict=True)
        ],
    )
    values = {**folded(after.case, lines), "moved_at": fresh[-1].when}
    connection.execute(update(CASES).where(CASES.c.id == case).values(values))
    if after.case.steps != before.case.steps:
        _replace_steps(connection, case, step_rows(after.case))
    write_clocks(connection, case, lines)


def write_due(connection: Connection, case: UUID, filed: Filed, lines: tuple[DueLine, ...]) -> None:
    """Write the clocks of a case that were counted anew, without any event."""
    due = {name: value for name, value in folded(filed.case, lines).items() if name.startswith("due_")}
    connection.execute(update(CASES).where(CASES.c.id == case).values(due))
    write_clocks(connection, case, lines)


def write_clocks(connection: Connection, case: UUID, lines: tuple[DueLine, ...]) -> None:
    """Write the clocks of a case; what was told about them before stays."""
    if not lines:
        return
    wanted = select(CLOCKS.c.number, CLOCKS.c.reminded).where(CLOCKS.c.case_id == case)
    told = {row.number: row.reminded for row in connection.execute(wanted)}
    for line, row in zip(lines, clock_rows(lines), strict=True):
        values = {**row, "next_reminder_on": next_reminder(line, told.get(line.number, 0))}
        written = insert(CLOCKS).values({**values, "case_id": case})
        connection.execute(
            written.on_conflict_do_update(index_elements=[CLOCKS.c.case_id, CLOCKS.c.number], set_=values)
        )


def next_reminder(line: DueLine, reminded: int) -> date | None:
    """When a clock reminds next, if it reminded at so many percent last; None once it has ended."""
    if not line.open:
        return None
    days = (day for percent, day in zip(line.remind_at, line.remind_on, strict=True) if percent > reminded)
    return next(days, None)


def _replace_steps(connection: Connection, case: UUID, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(delete(STEPS).where(STEPS.c.case_id == case))
    if rows:
        connection.execute(STEPS.insert(), [{**row, "case_id": case} for row in rows])
