"""Yearly reports as pages and the API show them: what is owed until when, and that one was handed in."""

from datetime import date
from typing import Final

from sqlalchemy import Connection

from services.api.parts import Parts
from services.api.problems import refused
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.api.uses.task import days_left
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.clocks.calendar import civil_day
from services.control.docket.report_clock import ReportDuty
from services.control.store.clocks.calendars import read_calendar
from services.control.store.reports.reading import Report, reports
from services.control.store.reports.writing import hand_in

ACTIONS: Final = {
    ReportDuty.DEPARTMENT: Action.REPORT_FILE,
    ReportDuty.AUTHORITY: Action.REPORT_FILE_FOR_AUTHORITY,
}
"""What somebody must be allowed to hand a report in."""
_NOT_OWED: Final = Problem(
    "REPORT_NOT_OWED", "year", "the department owes no such report on that year", "look which are owed"
)
_HANDED_IN: Final = Problem(
    "REPORT_HANDED_IN", "year", "the report on that year was handed in", "nothing is to be done"
)
_NO_REFERENCE: Final = Problem(
    "REFERENCE_MISSING", "reference", "no document is named", "give the number of the document"
)


def listed(parts: Parts, principal: Principal) -> list[tuple[Report, int]]:
    """Reports that somebody sees, the newest year first, each with the working days that are left."""
    permit(parts, principal, Action.REPORT_LOOK, own(principal))
    with parts.database.reading() as connection:
        calendar, now = read_calendar(connection), parts.clock()
        found = [each for each in reports(connection, calendar, now) if _sees(principal, each)]
        return [(each, days_left(calendar, civil_day(now), _last(each))) for each in found]


def handed_in(
    parts: Parts, principal: Principal, connection: Connection, duty: ReportDuty, year: int, reference: str
) -> Report:
    """Note that the own department has handed in a report.

    Raises:
        AnswerProblem: somebody may not, it is not owed, was handed in before, or no document is named.
    """
    permit(parts, principal, ACTIONS[duty], own(principal))
    calendar, now, named = read_calendar(connection), parts.clock(), reference.strip()
    owed = reports(connection, calendar, now, principal.department)
    found = next((each for each in owed if (each.duty, each.year) == (duty, year)), None)
    if found is None:
        raise refused([_NOT_OWED])
    if found.handed is not None:
        raise refused([_HANDED_IN])
    if not named:
        raise refused([_NO_REFERENCE])
    if not hand_in(connection, found, named, principal.person, now):
        raise refused([_HANDED_IN])
    return found


def _last(report: Report) -> date:
    return report.due.due.day


def _sees(principal: Principal, report: Report) -> bool:
    return sees(principal, Action.REPORT_LOOK, Whose(report.department, report.department))
