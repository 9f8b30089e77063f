"""What departments are told of the time of yearly reports: reminders, the last day, and that it is over.

Only of the report on the year that ended last: what is older was told in its time, and stands in the list of
breaches until it is handed in. (Requirements A12-01, A12-02.)
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.clocks.calendar import Calendar, civil_day
from services.control.clocks.running import standing
from services.control.docket.report_clock import KEYS, ReportDuty, year_end
from services.control.docket.review_clock import begun_clock
from services.control.notices.digest import next_digest
from services.control.notices.event import Offices, Parties
from services.control.notices.of_clocks import Duty, of_duty, parties_of, reached_of
from services.control.notices.words import Audience
from services.control.store.cases.policies import Policies
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices
from services.control.store.reports.reading import Report, reports

_OBLIGED: Final = {ReportDuty.DEPARTMENT: Audience.PROVIDER, ReportDuty.AUTHORITY: Audience.AUTHORITY}
"""As what a department is told of its report."""
NewId = Callable[[], UUID]


def tell_reports(connection: Connection, calendar: Calendar, now: datetime, new_id: NewId) -> bool:
    """Tell how the time of each report stands that is still owed; returns whether any was news."""
    known, policies, last = offices(connection), Policies(connection), civil_day(now).year - 1
    owed = [each for each in reports(connection, calendar, now) if each.handed is None and each.year == last]
    told = [_tell_one(connection, each, known, policies, calendar, now, new_id) for each in owed]
    return any(told)


def _tell_one(
    connection: Connection,
    report: Report,
    known: Offices,
    policies: Policies,
    calendar: Calendar,
    now: datetime,
    new_id: NewId,
) -> bool:
    ended = year_end(report.year)
    clock = begun_clock(policies.at(ended), KEYS[report.duty], ended)
    stands = None if clock is None else standing(clock.run, calendar, now)
    reached = None if stands is None else reached_of(stands, now)
    if stands is None or stands.due is None or reached is None:
        return False
    audience, overdue = _OBLIGED[report.duty], stands.breached
    if report.duty is ReportDuty.AUTHORITY:
        known = replace(known, authority=(report.department,))
    parties: Parties = {Audience.PROVIDER: (report.department,)} if audience is Audience.PROVIDER else {}
    told = parties_of(audience.value, parties, known, reached, overdue=overdue)
    duty = Duty(f"{report.department}-{report.year}", KEYS[report.duty], stands.due.day)
    happened = of_duty(duty, reached, told, now, overdue=overdue)
    return tell(connection, happened, new_id(), next_digest(now, calendar))
