"""Until when the report of a year has to be handed in (requirements A12-01, A12-02, C7)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from topics.quality.values import CIVIL_TIME


class ReportDuty(StrEnum):
    """Who has to report on a year."""

    DEPARTMENT = "department"
    """Each department, to the authority."""
    AUTHORITY = "authority"
    """The authority, to the government."""


KEYS: Final[Mapping[ReportDuty, str]] = {
    ReportDuty.DEPARTMENT: "calendar.annual_report.department",
    ReportDuty.AUTHORITY: "calendar.annual_report.authority",
}
"""By which key a policy pack sets the day."""


def year_end(year: int) -> datetime:
    """When the time for the report of a year begins: on its last day, which is not counted."""
    return datetime(year, 12, 31, tzinfo=CIVIL_TIME)
