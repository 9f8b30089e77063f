"""Reminders of clocks, maintenance that is announced in time, digests, and what of a case is told."""

from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.cases.words import Action, State
from services.control.clocks.calendar import civil_day, with_year
from services.control.clocks.calendar_file import china
from services.control.clocks.merge import merge
from services.control.clocks.pack_file import load_packs, packaged_packs
from services.control.clocks.rules import ClockRule, WorkingDays
from services.control.clocks.running import Standing, standing
from services.control.clocks.steps import meet, start
from services.control.notices.digest import next_digest
from services.control.notices.event import Happened, Offices
from services.control.notices.maintenance import (
    Announced,
    RefusedNotice,
    Work,
    announce,
    cancel,
    notice_days,
    still_in_time,
)
from services.control.notices.of_cases import of_case
from services.control.notices.of_clocks import Duty, of_duty, reached_of
from services.control.notices.words import Audience, Kind, Slot
from tests.support.notices import PARTIES
from tests.support.sharing_cases import APPLICANT, AUTHORITY, BUREAU, IN_STATE, NOW, PROVIDER, taken
from tests.unit.clocks.notices import notice_of_2027

CALENDAR = china()
RUN = start(ClockRule(WorkingDays(10)), datetime(2026, 9, 18, 1, tzinfo=UTC))
"""Due on 9 October 2026: free are 25 to 27 September and 1 to 7 October, worked is 20 September."""
WORK = Work(
    "0199c9a0-0000-7000-8000-000000000002",
    datetime(2026, 9, 24, 14, tzinfo=UTC),
    datetime(2026, 9, 24, 16, tzinfo=UTC),
    ("health", "police"),
)


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T04:00:00").replace(tzinfo=UTC)


def told_of(stands: Standing, now: datetime) -> Happened | None:
    reached = reached_of(stands, now)
    if stands.due is None or reached is None:
        return None
    duty = Duty("17", "clocks.problem.verify", stands.due.day)
    return of_duty(duty, reached, PARTIES, now, overdue=stands.breached)


def reminded(day: str) -> Happened | None:
    return told_of(standing(RUN, CALENDAR, noon(day)), noon(day))


@pytest.mark.requirement("A6-09", "A12-08")
def test_a_clock_reminds_at_each_of_its_steps_once_and_then_says_that_it_is_late() -> None:
    days = [date(2026, 9, 18) + timedelta(days=number) for number in range(40)]
    told = [found for day in days if (found := reminded(day.isoformat())) is not None]
    kinds = list(dict.fromkeys((each.kind, each.facts[Slot.PERCENT]) for each in told))
    assert kinds == [
        (Kind.CLOCK_REMINDER, 50),
        (Kind.CLOCK_REMINDER, 80),
        (Kind.CLOCK_LAST_DAY, 100),
        (Kind.CLOCK_OVERDUE, 100),
    ]
    assert len({each.key for each in told}) == 4
    due = standing(RUN, CALENDAR, noon("2026-09-18")).due
    assert due is not None
    assert {each.facts[Slot.DAY] for each in told} == {due.day}
    last = next(each for each in told if each.kind is Kind.CLOCK_LAST_DAY)
    assert civil_day(last.at) == due.day


def test_a_duty_that_was_done_reminds_of_nothing() -> None:
    done = standing(meet(RUN, noon("2026-09-22")), CALENDAR, noon("2026-12-01"))
    assert told_of(done, noon("2026-12-01")) is None


def test_a_target_that_was_missed_is_no_breach_and_not_told_as_one() -> None:
    target = start(ClockRule(WorkingDays(10), advisory=True), datetime(2026, 9, 18, 1, tzinfo=UTC))
    late = standing(target, CALENDAR, noon("2026-12-01"))
    found = told_of(late, noon("2026-12-01"))
    assert found is None or found.kind is not Kind.CLOCK_OVERDUE


@pytest.mark.requirement("A11-08")
@pytest.mark.parametrize(
    ("day", "in_time"),
    [
        ("2026-09-17", True),
        ("2026-09-20", True),
        ("2026-09-21", False),
        ("2026-09-24", False),
        ("2026-09-25", False),
    ],
)
def test_maintenance_is_announced_three_working_days_before_or_refused(day: str, in_time: bool) -> None:
    """The work is on a Thursday; Sunday 20 September is worked, so Monday to Wednesday are the three days."""
    found = announce(WORK, CALENDAR, noon(day))
    assert isinstance(found, Announced) == in_time
    if isinstance(found, Announced):
        assert found.happened.parties[Audience.CONSUMER] == ("health", "police")
        assert (found.provisional, found.waits_for) == (False, None)
    else:
        assert (found.code, found.latest) == ("NOTICE_TOO_SHORT", date(2026, 9, 20))
        assert found.remedy


@pytest.mark.requirement("A11-08")
@hypothesis.given(st.dates(date(2020, 1, 1), date(2026, 12, 20)), st.integers(0, 40), st.integers(0, 10))
def test_no_announcement_leaves_fewer_whole_working_days_than_asked_for(
    day: date, ahead: int, days: int
) -> None:
    begin = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    found = announce(
        Work("17", begin, begin + timedelta(hours=1), ()), CALENDAR, begin - timedelta(days=ahead), days
    )
    notice = day - timedelta(days=ahead)
    between = [notice + timedelta(days=number) for number in range(1, ahead)]
    worked = sum(CALENDAR.is_working_day(each) for each in between)
    # On a free day nobody reads it: such a notice counts from the working day before it.
    counts = worked >= max(days, 3) + (not CALENDAR.is_working_day(notice))
    assert isinstance(found, Announced) or not counts
    if isinstance(found, Announced):
        assert worked >= max(days, 3)


def test_nobody_makes_the_notice_shorter_than_three_days() -> None:
    assert isinstance(announce(WORK, CALENDAR, noon("2026-09-21"), notice_days=0), RefusedNotice)


def test_work_that_ends_before_it_begins_is_refused() -> None:
    found = announce(Work("17", WORK.end, WORK.begin, ()), CALENDAR, noon("2026-01-05"))
    assert isinstance(found, RefusedNotice)
    assert found.code == "TIMES_REVERSED"


def test_a_notice_through_a_year_that_is_not_announced_is_provisional_and_looked_at_again() -> None:
    begin = datetime(2027, 1, 7, 12, tzinfo=UTC)
    work = Work("17", begin, begin + timedelta(hours=1), ("health",))
    found = announce(work, CALENDAR, noon("2026-12-31"))
    assert isinstance(found, Announced)
    assert (found.provisional, found.waits_for) == (True, 2027)
    known = with_year(CALENDAR, 2027, notice_of_2027())
    assert still_in_time(work, CALENDAR, noon("2026-12-31"))
    assert not still_in_time(work, known, noon("2026-12-31"))


def test_the_policy_says_how_many_days_and_never_fewer_than_three() -> None:
    packs = load_packs(packaged_packs())
    assert notice_days(merge([packs["bengbu-2017"]], date(2026, 1, 1))) == 3
    assert notice_days(merge([packs["national-2025"]], date(2026, 1, 1))) == 3


def test_a_cancelled_maintenance_is_told_to_the_same_departments() -> None:
    found = cancel(WORK, noon("2026-09-20"))
    assert found.kind is Kind.MAINTENANCE_CANCELLED
    assert found.parties[Audience.CONSUMER] == ("health", "police")


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-09-18T08:29:59+08:00", "2026-09-18T08:30:00+08:00"),
        ("2026-09-18T08:30:00+08:00", "2026-09-20T08:30:00+08:00"),
        ("2026-09-30T20:00:00+08:00", "2026-10-08T08:30:00+08:00"),
    ],
)
def test_a_digest_leaves_on_the_morning_of_the_next_working_day(now: str, at: str) -> None:
    assert next_digest(datetime.fromisoformat(now), CALENDAR) == datetime.fromisoformat(at)


def test_a_suspension_of_a_case_is_told_with_its_ids_and_without_what_was_said() -> None:
    before = IN_STATE[State.ACTIVE]()
    case = taken(before, Action.SUSPEND, BUREAU, NOW + timedelta(days=30), text="张伟举报")
    found = of_case(before.state, case, Offices((AUTHORITY,), ("operations",)))
    assert found is not None
    assert found.kind is Kind.CASE_SUSPENDED
    assert found.parties == {
        Audience.CONSUMER: (APPLICANT,),
        Audience.PROVIDER: (PROVIDER,),
        Audience.AUTHORITY: (AUTHORITY,),
        Audience.OPERATOR: ("operations",),
    }
    assert "张伟" not in str(found.facts)
