"""Notes that a yearly report was handed in, and what the ledger is owed of it, in one transaction."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from services.control.store.outbox import Act, Fact, append
from services.control.store.reports.reading import Report
from services.control.store.reports.tables import REPORTS

KIND: Final = "report"
"""What an act calls a report."""


def hand_in(connection: Connection, report: Report, reference: str, who: str, now: datetime) -> bool:
    """Note that a report was handed in; False where somebody else has noted it meanwhile."""
    row = {
        "duty": report.duty.value,
        "department": report.department,
        "year": report.year,
        "reference": reference,
        "filed_at": now,
        "filed_by": who,
    }
    done = insert(REPORTS).values(row).on_conflict_do_nothing().returning(REPORTS.c.year)
    if connection.execute(done).first() is None:
        return False
    id_ = f"{report.duty.value}:{report.department}:{report.year}"
    facts: dict[str, Fact] = {
        "department": report.department,
        "year": report.year,
        "due_on": report.due.due.day.isoformat(),
    }
    append(connection, Act(who, "report.file", KIND, id_, now, facts=facts))
    return True
