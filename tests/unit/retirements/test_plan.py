"""When a version may end: by which successor, after how long, and how its day may be changed."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from services.api.said_in_chinese import CHINESE
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar import CalendarDay, DayKind, with_year
from services.control.clocks.calendar_file import china
from services.control.retirements.plan import (
    Hindrance,
    Retirement,
    Wish,
    cancellation_problems,
    first_day,
    later_by_calendar,
    plan_problems,
    postponement_problems,
)
from services.control.retirements.settings import RetirementSettings
from services.control.retirements.wording import STATES, in_words
from services.control.retirements.words import Refusal, State
from tests.support.retiring import FIRST, NEW, OLD, TODAY, days_before, morning, plan
from tests.support.sharing_cases import NOW
from topics.event import ResourceId

CALENDAR = china()
WISH = Wish(OLD, NEW, TODAY, FIRST, "住址拆分")
V1, V3 = ResourceId("population.person.v1"), ResourceId("population.person.v3")
ENTERPRISE2 = ResourceId("legal.enterprise.v2")


def problems(wish: Wish = WISH, now: datetime = NOW, **changes: Any) -> list[Refusal]:
    asked: dict[str, Any] = {
        "successor_published": True,
        "others": (),
        "calendar": CALENDAR,
        "now": now,
        "working_days": 30,
        **changes,
    }
    return [each.code for each in plan_problems(wish, **asked)]


def wish(**changes: Any) -> Wish:
    return replace(WISH, **changes)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (WISH, []),
        (wish(retires_on=FIRST - timedelta(days=1)), [Refusal.PARALLEL_TOO_SHORT]),
        (wish(retires_on=FIRST + timedelta(days=400)), []),
        # The parallel run counts from its own begin.
        (wish(parallel_from=date(2026, 3, 3)), [Refusal.PARALLEL_TOO_SHORT]),
        (wish(parallel_from=date(2026, 3, 3), retires_on=date(2026, 4, 16)), []),
        # Nobody may say that it has begun before anybody was told; and it does not make it longer.
        (wish(parallel_from=date(2026, 3, 1)), [Refusal.BEGINS_TOO_EARLY]),
        (
            wish(parallel_from=date(2025, 1, 1), retires_on=date(2026, 4, 14)),
            ["BEGINS_TOO_EARLY", "PARALLEL_TOO_SHORT"],
        ),
        (wish(new=OLD), [Refusal.SUCCESSOR_NOT_NEWER]),
        (wish(old=V3), [Refusal.SUCCESSOR_NOT_NEWER]),
        (wish(new=V3), []),
        (wish(new=ENTERPRISE2), [Refusal.SUCCESSOR_OTHER]),
        (wish(new=ResourceId("population.person")), [Refusal.SUCCESSOR_NOT_NEWER]),
        (wish(new=ResourceId("population.person.v02")), [Refusal.SUCCESSOR_OTHER]),
        (wish(why=" "), [Refusal.WHY_MISSING]),
    ],
)
def test_a_version_ends_by_a_newer_one_after_a_whole_parallel_run(wanted: Wish, found: list[Refusal]) -> None:
    assert problems(wanted) == found


def test_the_successor_must_be_published_and_stay() -> None:
    assert problems(successor_published=False) == [Refusal.SUCCESSOR_UNKNOWN]
    leaving = plan(old=NEW, new=V3)
    assert problems(others=[leaving]) == [Refusal.SUCCESSOR_ENDS]
    assert problems(others=[replace(leaving, state=State.RETIRED)]) == [Refusal.SUCCESSOR_ENDS]


def test_a_version_ends_once() -> None:
    assert problems(others=[plan()]) == [Refusal.ALREADY_ENDING]
    assert problems(others=[plan(state=State.RETIRED)]) == [Refusal.ALREADY_ENDING]


def test_everything_wrong_is_said_at_once_in_both_languages() -> None:
    wanted = Wish(OLD, ENTERPRISE2, date(2026, 1, 1), date(2026, 1, 2), "")
    found = plan_problems(
        wanted,
        successor_published=False,
        others=[plan(), plan(old=ENTERPRISE2)],
        calendar=CALENDAR,
        now=NOW,
        working_days=30,
    )
    assert [each.code for each in found] == [
        Refusal.SUCCESSOR_UNKNOWN,
        Refusal.SUCCESSOR_OTHER,
        Refusal.SUCCESSOR_ENDS,
        Refusal.ALREADY_ENDING,
        Refusal.BEGINS_TOO_EARLY,
        Refusal.PARALLEL_TOO_SHORT,
        Refusal.WHY_MISSING,
    ]
    for each in found:
        english, chinese = in_words(each, Language.EN), in_words(each, Language.ZH)
        assert english.what != chinese.what
        assert english.remedy != chinese.remedy
        assert english.code == chinese.code == each.code
    short = in_words(found[5], Language.EN)
    assert "2026-04-15" in short.remedy
    assert "30 working days" in short.what


@pytest.mark.parametrize("code", Refusal)
def test_each_refusal_has_words(code: Refusal) -> None:
    facts = dict.fromkeys(("old", "new", "day", "first", "days", "begin", "today", "planned", "state"), "x")
    # What stands there is shown instead of what a rule says.
    assert code not in CHINESE
    for language in Language:
        found = in_words(Hindrance(code, "f", facts), language)
        assert found.what
        assert found.remedy


def test_each_state_has_words() -> None:
    assert set(STATES) == set(State)


@hypothesis.given(st.dates(date(2026, 1, 1), date(2026, 10, 1)), st.integers(1, 40))
def test_exactly_so_many_working_days_lie_in_between(begin: date, count: int) -> None:
    end = first_day(CALENDAR, begin, count).day
    between = [begin + timedelta(days=each) for each in range(1, (end - begin).days)]
    worked = [day for day in between if CALENDAR.is_working_day(day)]
    assert len(worked) == count
    assert worked[-1] == between[-1]


@pytest.mark.parametrize(
    ("found", "day", "now", "codes"),
    [
        (plan(), FIRST + timedelta(days=1), NOW, []),
        (plan(), FIRST, NOW, [Refusal.DAY_NOT_LATER]),
        (plan(), FIRST - timedelta(days=1), NOW, [Refusal.DAY_NOT_LATER]),
        (plan(), FIRST + timedelta(days=1), days_before(FIRST, 1), []),
        (plan(), FIRST + timedelta(days=1), morning(FIRST), [Refusal.DAY_REACHED]),
        (plan(state=State.CANCELLED), FIRST + timedelta(days=1), NOW, [Refusal.NOT_PLANNED]),
        (plan(state=State.RETIRED), FIRST + timedelta(days=1), NOW, [Refusal.NOT_PLANNED]),
    ],
)
def test_a_day_is_postponed_and_never_brought_forward(
    found: Retirement, day: date, now: datetime, codes: list[Refusal]
) -> None:
    assert [each.code for each in postponement_problems(found, day, "迁移未完成", now)] == codes
    with_nothing = [each.code for each in postponement_problems(found, day, "", now)]
    assert with_nothing == [*codes, Refusal.WHY_MISSING]


@pytest.mark.parametrize(
    ("found", "now", "codes"),
    [
        (plan(), NOW, []),
        (plan(), days_before(FIRST, 1), []),
        (plan(), morning(FIRST), [Refusal.DAY_REACHED]),
        (plan(state=State.RETIRED), NOW, [Refusal.NOT_PLANNED]),
        (plan(state=State.CANCELLED), NOW, [Refusal.NOT_PLANNED]),
    ],
)
def test_a_plan_is_given_up_until_its_day(found: Retirement, now: datetime, codes: list[Refusal]) -> None:
    assert [each.code for each in cancellation_problems(found, "不再变更", now)] == codes
    assert [each.code for each in cancellation_problems(found, "", now)] == [*codes, Refusal.WHY_MISSING]


def test_a_day_that_new_holidays_made_too_early_waits_and_another_one_stays() -> None:
    """2027 is not announced: counted by weekdays first, then with a week that nobody works."""
    begin = date(2027, 2, 1)
    unknown = first_day(CALENDAR, begin, 10)
    assert (unknown.provisional, unknown.waits_for) == (True, 2027)
    found = plan(parallel_from=begin, retires_on=unknown.day, working_days=10)
    assert later_by_calendar(found, CALENDAR) is None
    week = [date(2027, 2, 8) + timedelta(days=each) for each in range(5)]
    known = with_year(CALENDAR, 2027, [CalendarDay(day, DayKind.HOLIDAY, "春节", 2027) for day in week])
    assert later_by_calendar(found, known) == unknown.day + timedelta(days=7)
    assert later_by_calendar(replace(found, retires_on=date(2028, 1, 1)), known) is None
    assert later_by_calendar(replace(found, state=State.CANCELLED), known) is None


def test_the_shortest_parallel_run_is_a_setting() -> None:
    assert RetirementSettings.from_environment({}).working_days == 30
    set_ = RetirementSettings.from_environment({"GOVBUS_RETIREMENT_WORKING_DAYS": "60"})
    assert set_.working_days == 60
    for wrong in ("0", "-1", "x", "100000"):
        with pytest.raises(ValueError, match="working_days"):
            RetirementSettings.from_environment({"GOVBUS_RETIREMENT_WORKING_DAYS": wrong})
