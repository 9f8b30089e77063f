"""A clock of one case: day zero, pauses, the one extension, reminders, and how it stands at a moment."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.control.clocks.arithmetic import add_working_days, working_days_between
from services.control.clocks.calendar import civil_day
from services.control.clocks.calendar_file import china
from services.control.clocks.rules import (
    AgreedDate,
    ClockRule,
    Extension,
    FixedDate,
    NaturalDays,
    WorkingDays,
)
from services.control.clocks.running import ClockRun, State, due_of, late_from, standing
from services.control.clocks.steps import RefuseStep, extend, meet, pause, resume, start
from topics.quality.values import CIVIL_TIME

CHINA = china()
RETURNED = "returned_for_supplement"
FIVE = ClockRule(WorkingDays(5), pauses_while=(RETURNED,), extension=Extension(5, "authority"))
TEN = replace(FIVE, length=WorkingDays(10), extension=Extension(10, "head_of_department"))


def at(day: str, hour: int = 10) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00").replace(tzinfo=CIVIL_TIME)


def due_day(run: ClockRun) -> str:
    due = due_of(run, CHINA)
    assert due is not None
    return str(due.day)


# Mondays to Fridays in July 2025 are all worked: 14 July is a Monday.


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2025, 7, 13, 15, 59, 59, tzinfo=UTC), "2025-07-13"),
        (datetime(2025, 7, 13, 16, 0, tzinfo=UTC), "2025-07-14"),
        (at("2025-07-14", 0), "2025-07-14"),
    ],
)
def test_an_instant_belongs_to_its_day_in_beijing(instant: datetime, day: str) -> None:
    assert str(civil_day(instant)) == day
    assert due_day(start(FIVE, instant)) == str(add_working_days(CHINA, date.fromisoformat(day), 5).day)


@pytest.mark.requirement("A2-07")
@pytest.mark.parametrize(
    ("begun", "due"),
    [
        ("2025-07-14", "2025-07-14"),
        ("2025-07-12", "2025-07-14"),
        ("2025-09-28", "2025-09-28"),
        ("2025-10-01", "2025-10-09"),
    ],
)
def test_at_once_is_the_day_itself_or_the_next_one_that_is_worked(begun: str, due: str) -> None:
    run = start(ClockRule(WorkingDays(0)), at(begun))
    assert due_day(run) == due
    on_time = standing(run, CHINA, at(due, 23))
    assert (on_time.state, on_time.breached, on_time.remaining) == (State.DUE_SOON, False, 0)
    late = standing(run, CHINA, at(due, 23) + timedelta(hours=1))
    assert (late.state, late.breached) == (State.OVERDUE, True)


def test_an_instant_without_a_zone_belongs_to_no_day() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        start(FIVE, datetime(2025, 7, 14, 10))  # noqa: DTZ001 - that is the mistake


@pytest.mark.parametrize(
    ("rule", "started", "due"),
    [
        (ClockRule(WorkingDays(5)), "2025-07-14", "2025-07-21"),
        (ClockRule(WorkingDays(5), counts_first_day=True), "2025-07-14", "2025-07-18"),
        (ClockRule(NaturalDays(10)), "2025-07-14", "2025-07-24"),
        # The fifteenth day is 5 October, and the first worked one after it 9 October.
        (ClockRule(NaturalDays(15)), "2025-09-20", "2025-10-09"),
        (ClockRule(FixedDate(1, 31)), "2025-12-31", "2026-01-31"),
        (ClockRule(FixedDate(1, 5)), "2026-01-04", "2026-01-05"),
        (ClockRule(FixedDate(1, 5)), "2026-01-05", "2027-01-05"),
        (ClockRule(FixedDate(1, 5), counts_first_day=True), "2026-01-05", "2026-01-05"),
        (ClockRule(FixedDate(2, None)), "2026-01-01", "2026-02-28"),
        (ClockRule(FixedDate(2, None)), "2028-01-01", "2028-02-29"),
    ],
)
def test_each_unit_ends_on_its_day(rule: ClockRule, started: str, due: str) -> None:
    assert due_day(start(rule, at(started))) == due


def test_a_fixed_date_is_never_provisional_and_a_count_from_it_may_be() -> None:
    rule = ClockRule(FixedDate(2, None), extension=Extension(5, "authority"))
    run = start(rule, at("2028-01-01"))
    due = due_of(run, CHINA)
    assert due is not None
    assert (due.provisional, due.waits_for) == (False, None)
    extended = due_of(extend(run, CHINA, 1, "authority", at("2028-02-01")), CHINA)
    assert extended is not None
    assert (str(extended.day), extended.provisional) == ("2028-03-01", True)


def test_only_where_natural_days_end_depends_on_a_notice() -> None:
    run = start(ClockRule(NaturalDays(30)), at("2026-12-10"))
    due = due_of(run, CHINA)
    assert due is not None
    assert (str(due.day), due.provisional, due.waits_for) == ("2027-01-11", True, 2027)
    early = due_of(start(ClockRule(NaturalDays(10)), at("2003-12-25")), CHINA)
    assert early is not None
    assert (str(early.day), early.provisional) == ("2004-01-05", False)


def test_an_agreed_day_comes_with_the_case_and_may_be_extended_by_working_days() -> None:
    rule = ClockRule(AgreedDate(), extension=Extension(5, "authority"))
    run = start(rule, at("2025-09-01"), date(2025, 9, 26))
    assert due_day(run) == "2025-09-26"
    assert due_day(extend(run, CHINA, 5, "authority", at("2025-09-26"))) == "2025-10-10"
    with pytest.raises(RefuseStep, match="give the day that was agreed"):
        start(rule, at("2025-09-01"))
    with pytest.raises(RefuseStep, match="no other day can be agreed on"):
        start(FIVE, at("2025-09-01"), date(2025, 9, 26))


@pytest.mark.parametrize(
    ("returned", "back", "due"),
    [
        ("2025-07-15", "2025-07-15", "2025-07-21"),
        ("2025-07-15", "2025-07-16", "2025-07-22"),
        ("2025-07-15", "2025-07-18", "2025-07-24"),
        # A weekend has no working days that could be made up for.
        ("2025-07-18", "2025-07-20", "2025-07-21"),
        ("2025-07-14", "2025-07-15", "2025-07-22"),
        ("2025-07-21", "2025-08-01", "2025-07-21"),
    ],
)
@pytest.mark.requirement("A6-03")
def test_a_pause_moves_the_due_date_by_its_working_days(returned: str, back: str, due: str) -> None:
    run = resume(pause(start(FIVE, at("2025-07-14")), at(returned), RETURNED), at(back))
    assert due_day(run) == due


def test_while_a_clock_stands_still_it_has_no_due_date_and_loses_no_days() -> None:
    run = pause(start(FIVE, at("2025-07-14")), at("2025-07-16"), RETURNED)
    found = standing(run, CHINA, at("2025-09-01"))
    assert (found.state, found.due, found.reminders) == (State.PAUSED, None, ())
    assert (found.total, found.elapsed, found.remaining, found.breached) == (5, 2, 3, False)
    # What was known before the pause is asked for without it.
    assert standing(run, CHINA, at("2025-07-15")).state is State.RUNNING


def test_a_pause_after_the_last_day_does_not_heal_lateness() -> None:
    run = pause(start(FIVE, at("2025-07-14")), at("2025-07-22"), RETURNED)
    assert standing(run, CHINA, at("2025-07-30")).state is State.OVERDUE


@pytest.mark.parametrize(
    ("now", "state", "elapsed", "remaining"),
    [
        ("2025-07-14", State.RUNNING, 0, 5),
        ("2025-07-15", State.RUNNING, 1, 4),
        ("2025-07-17", State.RUNNING, 3, 2),
        ("2025-07-18", State.DUE_SOON, 4, 1),
        ("2025-07-20", State.DUE_SOON, 4, 1),
        ("2025-07-21", State.DUE_SOON, 5, 0),
        ("2025-07-22", State.OVERDUE, 6, -1),
        ("2025-07-28", State.OVERDUE, 10, -5),
    ],
)
def test_a_clock_runs_is_due_soon_and_overdue(now: str, state: State, elapsed: int, remaining: int) -> None:
    found = standing(start(FIVE, at("2025-07-14")), CHINA, at(now, 23))
    assert (found.state, found.elapsed, found.remaining) == (state, elapsed, remaining)
    assert found.breached == (state is State.OVERDUE)


def test_nothing_is_late_before_the_last_day_has_ended_in_beijing() -> None:
    run = start(FIVE, at("2025-07-14"))
    due = due_of(run, CHINA)
    assert due is not None
    midnight = late_from(due)
    assert midnight == datetime(2025, 7, 21, 16, 0, tzinfo=UTC)
    assert standing(run, CHINA, midnight - timedelta(microseconds=1)).state is State.DUE_SOON
    assert standing(run, CHINA, midnight).state is State.OVERDUE


@pytest.mark.requirement("C20")
def test_a_target_is_missed_without_a_breach() -> None:
    found = standing(start(replace(FIVE, advisory=True), at("2025-07-14")), CHINA, at("2025-08-01"))
    assert (found.state, found.breached) == (State.OVERDUE, False)


@pytest.mark.parametrize(
    ("done", "state", "breached"),
    [("2025-07-21", State.MET, False), ("2025-07-22", State.MET_LATE, True)],
)
def test_a_duty_that_was_done_stays_in_time_or_late(done: str, state: State, breached: bool) -> None:
    run = meet(start(FIVE, at("2025-07-14")), at(done, 23))
    found = standing(run, CHINA, at("2026-07-14"))
    assert (found.state, found.breached) == (state, breached)
    # Before it was done, it was not.
    assert standing(run, CHINA, at("2025-07-16")).state is State.RUNNING


def test_who_answers_without_waiting_for_the_supplement_ends_the_pause() -> None:
    run = meet(pause(start(FIVE, at("2025-07-14")), at("2025-07-16"), RETURNED), at("2025-08-08"))
    assert standing(run, CHINA, at("2025-08-09")).state is State.MET
    assert due_day(run) == "2025-08-13"


@pytest.mark.parametrize(
    ("count", "days"),
    [
        (1, ["2025-07-15", "2025-07-15", "2025-07-15"]),
        (2, ["2025-07-15", "2025-07-16", "2025-07-16"]),
        (5, ["2025-07-17", "2025-07-18", "2025-07-21"]),
        (10, ["2025-07-21", "2025-07-24", "2025-07-28"]),
    ],
)
def test_a_clock_reminds_when_half_four_fifths_and_all_of_it_have_passed(count: int, days: list[str]) -> None:
    found = standing(start(ClockRule(WorkingDays(count)), at("2025-07-14")), CHINA, at("2025-07-14"))
    assert [(each.percent, str(each.day)) for each in found.reminders] == list(
        zip((50, 80, 100), days, strict=True)
    )


def test_a_date_within_free_days_reminds_on_the_date() -> None:
    # 31 January 2026 is a Saturday.
    run = start(ClockRule(FixedDate(1, 31)), at("2026-01-30"))
    assert {str(each.day) for each in standing(run, CHINA, at("2026-01-30")).reminders} == {"2026-01-31"}


def test_an_extension_moves_due_date_and_reminders_from_its_moment_on() -> None:
    run = extend(start(TEN, at("2025-07-14")), CHINA, 10, "head_of_department", at("2025-07-28"))
    assert due_day(run) == "2025-08-11"
    before, after = standing(run, CHINA, at("2025-07-25")), standing(run, CHINA, at("2025-07-28"))
    assert [str(each.day) for each in before.reminders] == ["2025-07-21", "2025-07-24", "2025-07-28"]
    assert [str(each.day) for each in after.reminders] == ["2025-07-28", "2025-08-05", "2025-08-11"]
    assert (before.total, after.total) == (10, 20)


@pytest.mark.parametrize(
    ("days", "approver", "when", "why"),
    [
        (0, "authority", "2025-07-15", "an extension is 1 to 5 days, not 0"),
        (6, "authority", "2025-07-15", "an extension is 1 to 5 days, not 6"),
        (5, "provider", "2025-07-15", "approved by authority, not by provider"),
        (5, "authority", "2025-07-22", "on its last day at the latest"),
    ],
)
@pytest.mark.requirement("A4-05", "A10-04", "A10-05", "C18")
def test_an_extension_beyond_its_rule_is_refused(days: int, approver: str, when: str, why: str) -> None:
    run = start(FIVE, at("2025-07-14"))
    with pytest.raises(RefuseStep, match=why):
        extend(run, CHINA, days, approver, at(when))


@pytest.mark.requirement("C18")
def test_a_clock_is_extended_once_and_only_where_its_rule_says_so() -> None:
    run = extend(start(FIVE, at("2025-07-14")), CHINA, 1, "authority", at("2025-07-21"))
    with pytest.raises(RefuseStep, match="extended on 2025-07-21, and that is possible once"):
        extend(run, CHINA, 1, "authority", at("2025-07-22"))
    with pytest.raises(RefuseStep, match="names no extension"):
        extend(start(ClockRule(WorkingDays(5)), at("2025-07-14")), CHINA, 1, "authority", at("2025-07-15"))
    met = meet(start(FIVE, at("2025-07-14")), at("2025-07-15"))
    with pytest.raises(RefuseStep, match="is over"):
        extend(met, CHINA, 1, "authority", at("2025-07-16"))


def test_a_step_that_does_not_fit_is_refused() -> None:
    run = start(FIVE, at("2025-07-14"))
    paused = pause(run, at("2025-07-16"), RETURNED)
    with pytest.raises(RefuseStep, match="goes on while the case is negotiated"):
        pause(run, at("2025-07-15"), "negotiated")
    with pytest.raises(RefuseStep, match="goes on while the case is"):
        pause(
            start(ClockRule(FixedDate(1, 5), pauses_while=(RETURNED,)), at("2025-07-14")),
            at("2025-07-15"),
            RETURNED,
        )
    with pytest.raises(RefuseStep, match="stands still since 2025-07-16"):
        pause(paused, at("2025-07-17"), RETURNED)
    with pytest.raises(RefuseStep, match="does not stand still"):
        resume(run, at("2025-07-17"))
    with pytest.raises(RefuseStep, match="which is later"):
        resume(paused, at("2025-07-15"))
    with pytest.raises(RefuseStep, match="which is later"):
        meet(run, at("2025-07-13"))
    with pytest.raises(RefuseStep, match="which is later"):
        pause(resume(paused, at("2025-07-18")), at("2025-07-17"), RETURNED)
    with pytest.raises(RefuseStep, match="met on 2025-07-15"):
        meet(meet(run, at("2025-07-15")), at("2025-07-16"))


# Each half hour of the years 2004 to 2025, and a little of 2026.
STARTS = st.integers(0, 22 * 366 * 48).map(
    lambda half_hours: datetime(2004, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * half_hours)
)
LENGTHS = st.one_of(st.integers(1, 40).map(WorkingDays), st.integers(1, 60).map(NaturalDays))
HOURS = st.integers(0, 24 * 40).map(lambda hours: timedelta(hours=hours))


@given(STARTS, LENGTHS, HOURS, HOURS, st.booleans())
def test_what_is_left_and_what_has_passed_make_the_whole(
    begin: datetime,
    length: WorkingDays | NaturalDays,
    first: timedelta,
    second: timedelta,
    first_counts: bool,
) -> None:
    rule = ClockRule(length, pauses_while=(RETURNED,), counts_first_day=first_counts)
    run = resume(pause(start(rule, begin), begin + first, RETURNED), begin + first + second)
    for now in (
        begin,
        begin + first / 2,
        begin + first,
        begin + first + second,
        begin + 2 * (first + second),
    ):
        found = standing(run, CHINA, now)
        assert found.elapsed + found.remaining == found.total
        assert found.elapsed >= 0
        if found.due is not None:
            assert CHINA.is_working_day(found.due.day)
            assert (found.remaining < 0) <= (civil_day(now) > found.due.day)


@given(STARTS, st.integers(1, 40), HOURS, HOURS)
def test_a_pause_of_so_many_working_days_within_the_time_moves_the_due_date_by_as_many(
    begin: datetime, count: int, first: timedelta, second: timedelta
) -> None:
    run = start(ClockRule(WorkingDays(count), pauses_while=(RETURNED,)), begin)
    without = due_of(run, CHINA)
    assert without is not None
    assume(civil_day(begin + first) < without.day)
    paused = resume(pause(run, begin + first, RETURNED), begin + first + second)
    lost = working_days_between(CHINA, civil_day(begin + first), civil_day(begin + first + second))
    moved = due_of(paused, CHINA)
    assert moved is not None
    assert moved.day == (add_working_days(CHINA, without.day, lost).day if lost else without.day)


@given(STARTS, st.integers(1, 40), st.integers(1, 10))
def test_an_extension_moves_the_due_date_by_as_many_working_days(
    begin: datetime, count: int, more: int
) -> None:
    rule = ClockRule(WorkingDays(count), extension=Extension(10, "authority"))
    run = start(rule, begin)
    without, extended = due_of(run, CHINA), due_of(extend(run, CHINA, more, "authority", begin), CHINA)
    assert without is not None
    assert extended is not None
    assert extended.day == add_working_days(CHINA, without.day, more).day


@given(STARTS, LENGTHS, st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_reminders_come_in_order_and_never_after_the_due_date(
    begin: datetime, length: WorkingDays | NaturalDays, percents: list[int]
) -> None:
    found = standing(start(ClockRule(length, remind_at=tuple(percents)), begin), CHINA, begin)
    assert found.due is not None
    days = [each.day for each in found.reminders]
    assert days == sorted(days)
    assert [each.percent for each in found.reminders] == sorted(percents)
    assert days[-1] <= found.due.day
    assert (days[-1] == found.due.day) or max(percents) < 100
