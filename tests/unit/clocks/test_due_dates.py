"""Due dates against a table that was counted by hand from the State Council's notices, and their laws."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.clocks.arithmetic import add_working_days, latest_notice, working_days_between
from services.control.clocks.calendar import DayKind, calendar_of, with_year
from services.control.clocks.calendar_file import china
from tests.unit.clocks.notices import notice_of_2027

CHINA = china()
DAY = timedelta(days=1)

# Counted by hand, a day at a time, from these notices (国务院办公厅关于部分节假日安排的通知):
# 2019 元旦 (国办发明电〔2018〕15号): 30 December to 1 January off, 29 December (Saturday) worked.
# 2020 春节 (国办发明电〔2020〕1号, which lengthened it): 24 January to 2 February off.
# 2024 and 2025 元旦 (国办发明电〔2023〕7号, 〔2024〕12号): 1 January off, nothing worked for it.
# 2025 春节 (国办发明电〔2024〕12号): 28 January to 4 February off; 26 January and 8 February worked.
# 2025 国庆节、中秋节 (same): 1 to 8 October off; 28 September (Sunday) and 11 October (Saturday) worked.
# 2026 元旦 (国办发明电〔2025〕7号): 1 to 3 January off; 4 January (Sunday) worked.
# 2026 春节 (same): 15 to 23 February off; 14 and 28 February (Saturdays) worked.
# 2026 劳动节 (same): 1 to 5 May off; 9 May (Saturday) worked.
# 2026 中秋节、国庆节 (same): 25 to 27 September and 1 to 7 October off; 20 September (Sunday) and 10 October
# (Saturday) worked.
TABLE = [
    ("2018-12-28", 1, "2018-12-29"),
    ("2018-12-28", 2, "2019-01-02"),
    ("2020-01-23", 1, "2020-02-03"),
    ("2024-02-28", 2, "2024-03-01"),
    ("2024-12-30", 1, "2024-12-31"),
    ("2024-12-30", 3, "2025-01-03"),
    ("2025-01-24", 5, "2025-02-07"),
    ("2025-01-24", 6, "2025-02-08"),
    ("2025-01-24", 7, "2025-02-10"),
    ("2025-07-14", 5, "2025-07-21"),
    ("2025-09-26", 1, "2025-09-28"),
    ("2025-09-26", 5, "2025-10-10"),
    ("2025-09-30", 10, "2025-10-21"),
    ("2025-10-03", 1, "2025-10-09"),
    ("2025-12-29", 5, "2026-01-06"),
    ("2025-12-29", 10, "2026-01-13"),
    ("2026-01-01", 1, "2026-01-04"),
    ("2026-02-12", 5, "2026-02-26"),
    ("2026-02-12", 10, "2026-03-04"),
    ("2026-04-30", 5, "2026-05-11"),
    ("2026-09-18", 10, "2026-10-09"),
    ("2026-09-18", 11, "2026-10-10"),
    ("2026-09-18", 12, "2026-10-12"),
]

DAYS = st.dates(date(2000, 1, 1), date(2035, 12, 31))
COUNTS = st.integers(0, 120)


@pytest.mark.parametrize(("start", "count", "due"), TABLE)
@pytest.mark.requirement("A6-03", "A9-04", "A9-05")
def test_a_due_date_is_the_one_counted_by_hand_from_the_notices(start: str, count: int, due: str) -> None:
    found = add_working_days(CHINA, date.fromisoformat(start), count)
    assert (str(found.day), found.provisional, found.waits_for) == (due, False, None)


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2025-09-28", 1, "2025-09-28"),
        ("2025-09-28", 3, "2025-09-30"),
        ("2025-09-27", 1, "2025-09-28"),
        ("2025-10-01", 1, "2025-10-09"),
    ],
)
def test_a_clock_that_counts_the_day_of_receipt_starts_with_it_if_it_is_worked(
    start: str, count: int, due: str
) -> None:
    found = add_working_days(CHINA, date.fromisoformat(start), count, counts_start=True)
    assert str(found.day) == due


@pytest.mark.parametrize(
    ("start", "due"),
    [("2025-09-28", "2025-09-28"), ("2025-09-27", "2025-09-28"), ("2025-10-01", "2025-10-09")],
)
def test_none_is_the_day_itself_or_the_next_one_that_is_worked(start: str, due: str) -> None:
    assert str(add_working_days(CHINA, date.fromisoformat(start), 0).day) == due


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="-1 working days"):
        add_working_days(CHINA, date(2025, 7, 1), -1)
    with pytest.raises(ValueError, match="-1 working days"):
        latest_notice(CHINA, date(2025, 7, 1), -1)


@pytest.mark.parametrize(
    ("start", "count", "due", "provisional", "waits_for"),
    [
        ("2026-12-15", 9, "2026-12-28", False, None),
        # The notice for 2027 may still work or free the last three days of December, as four have done.
        ("2026-12-15", 10, "2026-12-29", False, 2027),
        ("2026-12-15", 12, "2026-12-31", False, 2027),
        ("2026-12-15", 13, "2027-01-04", True, 2027),
        ("2026-12-31", 250, "2027-12-20", True, 2027),
        ("2027-09-30", 1, "2027-10-04", True, 2027),
        # 2028 begins with a weekend; 1 to 3 October, a Sunday to a Tuesday, are fixed feasts.
        ("2028-09-29", 1, "2028-10-04", True, 2028),
        ("2028-04-28", 1, "2028-05-03", True, 2028),
        ("2028-12-29", 1, "2029-01-02", True, 2028),
        ("2003-12-31", 1, "2004-01-02", False, None),
        ("2003-12-30", 1, "2003-12-31", True, 2003),
        ("2003-12-30", 2, "2004-01-02", True, 2003),
    ],
)
def test_beyond_the_notices_that_are_there_a_due_date_is_provisional_and_says_for_which_year_it_waits(
    start: str, count: int, due: str, provisional: bool, waits_for: int | None
) -> None:
    found = add_working_days(CHINA, date.fromisoformat(start), count)
    assert (str(found.day), found.provisional, found.waits_for) == (due, provisional, waits_for)


def test_when_the_year_arrives_the_date_is_counted_again_and_stands() -> None:
    start = date(2026, 12, 15)
    later = with_year(CHINA, 2027, notice_of_2027())
    before, after = add_working_days(CHINA, start, 13), add_working_days(later, start, 13)
    assert (str(before.day), before.provisional) == ("2027-01-04", True)
    # By the notice of the test, 4 January is off as well.
    assert (str(after.day), after.provisional, after.waits_for) == ("2027-01-05", False, None)


def test_another_edition_of_a_notice_replaces_the_first_one_whole() -> None:
    first = with_year(CHINA, 2027, notice_of_2027())
    shorter = [each for each in notice_of_2027() if each.kind is DayKind.HOLIDAY]
    second = with_year(first, 2027, shorter)
    assert {each.day for each in second.days.values() if each.year == 2027} == {each.day for each in shorter}
    assert {each for each in second.days.values() if each.year < 2027} == set(CHINA.days.values())


# 1 to 8 October 2025 are off, 28 September (Sunday) is worked.
@pytest.mark.parametrize(
    ("event", "count", "notice"),
    [
        ("2025-07-18", 3, "2025-07-14"),
        ("2025-07-20", 3, "2025-07-15"),
        ("2025-10-09", 3, "2025-09-26"),
        ("2025-10-10", 3, "2025-09-28"),
        ("2025-07-18", 0, "2025-07-17"),
    ],
)
@pytest.mark.requirement("A11-08")
def test_the_last_day_for_a_notice_leaves_so_many_whole_working_days(
    event: str, count: int, notice: str
) -> None:
    found = latest_notice(CHINA, date.fromisoformat(event), count)
    assert str(found.day) == notice
    assert working_days_between(CHINA, found.day, date.fromisoformat(event) - DAY) == count


def test_the_last_day_for_a_notice_is_provisional_where_the_days_before_the_event_are() -> None:
    assert latest_notice(CHINA, date(2026, 12, 25), 3).waits_for is None
    assert latest_notice(CHINA, date(2027, 1, 6), 3).provisional


@given(DAYS, COUNTS, COUNTS)
def test_more_days_are_never_due_earlier(start: date, count: int, more: int) -> None:
    assert add_working_days(CHINA, start, count).day <= add_working_days(CHINA, start, count + more).day


@given(DAYS, DAYS, COUNTS)
def test_what_is_received_later_is_not_due_earlier(one: date, other: date, count: int) -> None:
    first, second = sorted((one, other))
    assert add_working_days(CHINA, first, count).day <= add_working_days(CHINA, second, count).day


@given(DAYS, COUNTS)
def test_a_due_date_is_worked(start: date, count: int) -> None:
    assert CHINA.is_working_day(add_working_days(CHINA, start, count).day)


@given(DAYS, st.integers(1, 120))
def test_so_many_working_days_lie_between_start_and_due_date(start: date, count: int) -> None:
    due = add_working_days(CHINA, start, count).day
    assert working_days_between(CHINA, start, due) == count


@given(DAYS, st.integers(1, 60), st.integers(1, 60))
def test_days_counted_in_two_parts_are_those_counted_at_once(start: date, one: int, other: int) -> None:
    halfway = add_working_days(CHINA, start, one).day
    assert add_working_days(CHINA, halfway, other).day == add_working_days(CHINA, start, one + other).day


@given(DAYS, st.integers(1, 60))
def test_a_date_is_provisional_exactly_when_it_was_counted_through_an_unknown_year(
    start: date, count: int
) -> None:
    found = add_working_days(CHINA, start, count)
    through = {(start + DAY * number).year for number in range(1, (found.day - start).days + 1)}
    assert found.provisional == (not through <= CHINA.years)


def test_an_empty_calendar_knows_weekends_and_fixed_feasts_only() -> None:
    empty = calendar_of("cn", [])
    assert [day for day in range(1, 8) if empty.is_working_day(date(2027, 10, day))] == [4, 5, 6, 7]
    assert add_working_days(empty, date(2025, 10, 1), 1).provisional
