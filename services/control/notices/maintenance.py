"""Maintenance is announced at least so many working days before, or not at all (requirement A11-08); pure.

Neither the day of the notice nor that of the work counts (ADR 28). Where the days between lie in a year whose
holidays are not announced yet, the announcement is provisional and is looked at again when they are.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.control.clocks.arithmetic import latest_notice
from services.control.clocks.calendar import Calendar, civil_day
from services.control.clocks.merge import Policy
from services.control.clocks.rules import Stage, WorkingDays
from services.control.notices.event import Facts, Happened
from services.control.notices.words import Audience, Kind, Slot

SHORTEST_NOTICE: Final = 3
"""Working days, where no policy pack asks for more."""
NOTICE_KEY: Final = "clocks.maintenance.notice"


@dataclass(frozen=True, slots=True)
class Work:
    """Maintenance that may interrupt the service."""

    id: str
    begin: datetime
    end: datetime
    departments: tuple[str, ...]
    """All that are told."""


@dataclass(frozen=True, slots=True)
class Announced:
    """It may be announced, and is by telling what happened."""

    work: Work
    happened: Happened
    provisional: bool
    waits_for: int | None
    """The year whose notice on holidays may still make this one too short."""


@dataclass(frozen=True, slots=True)
class RefusedNotice:
    """It may not: why, and what to do."""

    code: str
    what: str
    remedy: str
    latest: date | None
    """The last day on which a notice would have been in time."""


def announce(
    work: Work, calendar: Calendar, now: datetime, notice_days: int = SHORTEST_NOTICE
) -> Announced | RefusedNotice:
    """Announce maintenance, or refuse it because the notice would be too short.

    Args:
        work: what is planned.
        calendar: which days are worked.
        now: the time of the notice.
        notice_days: whole working days between notice and work; never fewer than three.
    """
    refused = _refused(work, calendar, now, max(notice_days, SHORTEST_NOTICE))
    if refused is not None:
        return refused
    due = latest_notice(calendar, civil_day(work.begin), max(notice_days, SHORTEST_NOTICE))
    happened = _happened(work, Kind.MAINTENANCE_ANNOUNCED, now)
    return Announced(work, happened, due.provisional, due.waits_for)


def still_in_time(
    work: Work, calendar: Calendar, announced: datetime, notice_days: int = SHORTEST_NOTICE
) -> bool:
    """Whether an announcement was early enough by the calendar as it is known now."""
    return _refused(work, calendar, announced, max(notice_days, SHORTEST_NOTICE)) is None


def cancel(work: Work, now: datetime) -> Happened:
    """What is told when the work does not take place."""
    return _happened(work, Kind.MAINTENANCE_CANCELLED, now)


def notice_days(policy: Policy) -> int:
    """The working days that a policy asks for; three where it says nothing."""
    contents = (each.given.content for each in policy.decide(NOTICE_KEY))
    found = [
        content.rule.length.count
        for content in contents
        if isinstance(content, Stage) and isinstance(content.rule.length, WorkingDays)
    ]
    return max([SHORTEST_NOTICE, *found])


def _refused(work: Work, calendar: Calendar, now: datetime, days: int) -> RefusedNotice | None:
    if work.end <= work.begin:
        what = "the work ends before it begins"
        return RefusedNotice("TIMES_REVERSED", what, "give an end after the begin", None)
    latest = latest_notice(calendar, civil_day(work.begin), days).day
    if civil_day(now) > latest:
        what = f"fewer than {days} working days are left before {civil_day(work.begin)}"
        remedy = f"plan it later; for this day the notice was due on {latest}"
        return RefusedNotice("NOTICE_TOO_SHORT", what, remedy, latest)
    return None


def _happened(work: Work, kind: Kind, now: datetime) -> Happened:
    facts: Facts = {Slot.MAINTENANCE: work.id, Slot.BEGIN: work.begin, Slot.END: work.end}
    parties = {Audience.CONSUMER: work.departments}
    return Happened(f"{kind}:{work.id}", kind, now, parties, facts)
