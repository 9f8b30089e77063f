"""Which yearly reports are owed, until when, and which were handed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, func, select

from services.control.accounts.roles import Role
from services.control.clocks.calendar import Calendar, civil_day
from services.control.docket.report_clock import KEYS, ReportDuty, year_end
from services.control.docket.review_clock import EntryDue, entry_due
from services.control.store.accounts.tables import DEPARTMENTS, PERSONS, ROLES
from services.control.store.cases.policies import Policies
from services.control.store.reports.tables import REPORTS

_MOST_YEARS: Final = 10
_IDS: Final = UUID("6f1d4a52-9c1e-5b7a-8d2f-3e0c5a7b9d14")
"""Under it the names of reports are made into ids."""


@dataclass(frozen=True, slots=True)
class Handed:
    """When a report was handed in, under which number of a document."""

    at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one department on one year; ``handed`` is None while it is owed."""

    duty: ReportDuty
    department: str
    year: int
    due: EntryDue
    handed: Handed | None

    @property
    def id(self) -> UUID:
        """Made of its name, since a report that is owed stands in no table."""
        return uuid5(_IDS, f"{self.duty.value}:{self.department}:{self.year}")

    @property
    def late(self) -> bool:
        """Whether it was handed in after its last day."""
        return self.handed is not None and civil_day(self.handed.at) > self.due.due.day


def reports(
    connection: Connection, calendar: Calendar, now: datetime, department: str | None = None
) -> list[Report]:
    """Reports on the years that ended since a policy was adopted, the newest year first.

    A department owes those on the years at whose end it had an account; each by the policy of that time.

    Args:
        connection: inside the caller's transaction.
        calendar: the working days.
        now: the time, with its zone.
        department: only those of this one.
    """
    policies, today = Policies(connection), civil_day(now)
    if policies.since is None:
        return []
    handed, obliged = _handed(connection), _obliged(connection, department)
    first = max(civil_day(policies.since).year, today.year - _MOST_YEARS)
    return [
        Report(duty, each, year, due, handed.get((duty, each, year)))
        for year in range(today.year - 1, first - 1, -1)
        for duty, due in _due(policies, year, calendar)
        for each, since in obliged[duty].items()
        if since.year <= year
    ]


def _due(policies: Policies, year: int, calendar: Calendar) -> Iterator[tuple[ReportDuty, EntryDue]]:
    ended = year_end(year)
    for duty, key in KEYS.items():
        due = entry_due(policies.at(ended), key, ended, calendar)
        if due is not None:
            yield duty, due


def _handed(connection: Connection) -> dict[tuple[ReportDuty, str, int], Handed]:
    return {
        (ReportDuty(row.duty), row.department, row.year): Handed(row.filed_at, row.reference)
        for row in connection.execute(select(REPORTS))
    }


def _obliged(connection: Connection, department: str | None) -> Mapping[ReportDuty, Mapping[str, date]]:
    """Who has to report, and since which day it is here: that of its first account."""
    wanted = (
        select(PERSONS.c.department, func.min(PERSONS.c.created_at).label("since"))
        .join(DEPARTMENTS, DEPARTMENTS.c.id == PERSONS.c.department)
        .where(DEPARTMENTS.c.active)
        .group_by(PERSONS.c.department)
        .order_by(PERSONS.c.department)
    )
    if department is not None:
        wanted = wanted.where(PERSONS.c.department == department)
    authority = select(ROLES.c.person).where(ROLES.c.role == Role.AUTHORITY.value)
    of_authority = wanted.where(PERSONS.c.active, PERSONS.c.id.in_(authority))
    return {
        duty: {row.department: civil_day(row.since) for row in connection.execute(statement)}
        for duty, statement in ((ReportDuty.DEPARTMENT, wanted), (ReportDuty.AUTHORITY, of_authority))
    }
