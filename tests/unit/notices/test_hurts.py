"""What hurts consumers soon: readers behind, rights that end, resources without news, versions that break."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.notices import versions
from services.control.notices.event import Offices, told
from services.control.notices.hurts import (
    Freshness,
    Reader,
    Right,
    longest_silence,
    readers_behind,
    rights_that_end,
    stale_resources,
)
from services.control.notices.words import Audience, Kind, Slot
from tests.support.notices import NOW
from topics.quality.declaration import UpdateCycle

READER = Reader("health-persons", "health", "operations", timedelta(days=1), timedelta(days=7), 42)
RIGHT = Right("health-persons", "health", "police", "operations", date(2026, 9, 25))
PERSONS = Freshness(
    "population.person.v1", "police", "bureau", "operations", ("health", "tax"), NOW, UpdateCycle.DAILY
)
PLAN = versions.NewVersion(
    "r-1",
    "population.person.v1",
    "population.person.v2",
    "police",
    Offices(("bureau",), ("operations",)),
    ("health", "tax"),
    date(2026, 10, 1),
    date(2026, 12, 1),
)


@pytest.mark.parametrize(
    ("hours", "kind", "percent"),
    [
        (0, None, 0),
        (83, None, 0),
        (84, Kind.READER_BEHIND, 50),
        (134, Kind.READER_BEHIND, 79),
        (135, Kind.READER_BEHIND, 80),
        (167, Kind.READER_BEHIND, 99),
        (168, Kind.READER_LOST, 100),
        (500, Kind.READER_LOST, 297),
    ],
)
def test_a_reader_is_told_at_half_and_four_fifths_of_its_window_and_beyond_it(
    hours: int, kind: Kind | None, percent: int
) -> None:
    found = list(readers_behind([replace(READER, behind=timedelta(hours=hours))], NOW))
    assert [(each.kind, each.facts[Slot.PERCENT]) for each in found] == ([(kind, percent)] if kind else [])


def test_a_reader_that_stays_behind_is_told_once_a_day_and_at_each_step() -> None:
    def key(hours: int, later: int = 0) -> str:
        reader = replace(READER, behind=timedelta(hours=hours))
        (found,) = readers_behind([reader], NOW + timedelta(hours=later))
        return found.key

    assert key(90) == key(100, later=5)
    assert len({key(90), key(90, later=24), key(140), key(170)}) == 4


def test_where_nothing_is_kept_every_lag_loses() -> None:
    (found,) = readers_behind([replace(READER, window=timedelta())], NOW)
    assert found.kind is Kind.READER_LOST
    assert not list(readers_behind([replace(READER, window=timedelta(), behind=timedelta())], NOW))


@pytest.mark.parametrize(
    ("left", "step"), [(31, None), (30, 30), (8, 30), (7, 7), (2, 7), (1, 1), (0, 1), (-1, None)]
)
def test_the_end_of_a_right_is_told_thirty_seven_and_one_days_before(left: int, step: int | None) -> None:
    last = date(2026, 9, 18) + timedelta(days=left)
    found = list(rights_that_end([replace(RIGHT, last_day=last)], NOW))
    assert [each.key for each in found] == ([f"ends:grant:health-persons:{last}:{step}"] if step else [])
    assert all(each.facts[Slot.DAYS] == left for each in found)


@pytest.mark.parametrize(
    ("cycle", "silent", "is_stale"),
    [
        (UpdateCycle.REAL_TIME, timedelta(days=1), False),
        (UpdateCycle.REAL_TIME, timedelta(days=1, seconds=1), True),
        (UpdateCycle.WEEKLY, timedelta(days=7), False),
        (UpdateCycle.WEEKLY, timedelta(days=7, seconds=1), True),
        (UpdateCycle.YEARLY, timedelta(days=366), False),
        (UpdateCycle.YEARLY, timedelta(days=367), True),
    ],
)
@pytest.mark.requirement("A4-13")
def test_a_resource_is_stale_after_its_cycle(cycle: UpdateCycle, silent: timedelta, is_stale: bool) -> None:
    found = list(stale_resources([replace(PERSONS, cycle=cycle)], NOW + silent))
    assert bool(found) == is_stale


def test_a_stale_resource_is_told_to_all_who_depend_on_it_once_until_it_has_news() -> None:
    later = NOW + timedelta(days=3)
    (first,) = stale_resources([PERSONS], later)
    (again,) = stale_resources([PERSONS], later + timedelta(days=1))
    (next_,) = stale_resources([replace(PERSONS, last_event=NOW + timedelta(days=1))], later)
    assert first.parties[Audience.CONSUMER] == ("health", "tax")
    assert first.parties[Audience.PROVIDER] == ("police",)
    assert first.key == again.key != next_.key


@hypothesis.given(st.sampled_from(UpdateCycle))
def test_every_cycle_has_a_longest_silence_of_a_day_at_least(cycle: UpdateCycle) -> None:
    assert longest_silence(cycle) >= timedelta(days=1)


def test_a_version_that_ends_is_told_to_each_consumer_by_itself_and_to_the_offices() -> None:
    offices, *consumers = versions.announced(PLAN, NOW)
    assert {each.kind for each in (offices, *consumers)} == {Kind.VERSION_ANNOUNCED}
    assert [each.department for each in told(offices)] == ["police", "bureau", "operations"]
    assert [dict(each.parties) for each in consumers] == [
        {Audience.CONSUMER: ("health",)},
        {Audience.CONSUMER: ("tax",)},
    ]
    facts = consumers[0].facts
    assert (facts[Slot.DAY], facts[Slot.UNTIL]) == (PLAN.parallel_from, PLAN.retires)
    assert len({each.key for each in (offices, *consumers)}) == 3


def test_a_consumer_that_comes_later_is_told_and_the_others_are_not_told_again() -> None:
    before = {each.key for each in versions.announced(PLAN, NOW)}
    later = {
        each.key for each in versions.announced(replace(PLAN, consumers=("health", "tax", "civil")), NOW)
    }
    assert {key.rpartition(":")[2] for key in later - before} == {"civil"}


def test_a_department_that_has_the_version_is_told_as_a_consumer_and_not_for_its_office_too() -> None:
    offices, *consumers = versions.announced(replace(PLAN, consumers=("bureau",)), NOW)
    assert [each.department for each in told(offices)] == ["police", "operations"]
    assert [each.department for one in consumers for each in told(one)] == ["bureau"]


@pytest.mark.parametrize(
    ("day", "step"),
    [
        ("2026-10-31", None),
        ("2026-11-01", "30"),
        ("2026-11-23", "30"),
        ("2026-11-24", "7"),
        ("2026-11-29", "7"),
        ("2026-11-30", "1"),
        ("2026-12-01", None),
        ("2027-02-01", None),
    ],
)
def test_the_end_of_the_old_version_comes_nearer_step_by_step(day: str, step: str | None) -> None:
    now = datetime.fromisoformat(f"{day}T04:00:00").replace(tzinfo=UTC)
    found = list(versions.nearing(PLAN, now))
    keys = (
        []
        if step is None
        else [f"version:r-1:near:2026-12-01:{step}:{name}" for name in ("", "health", "tax")]
    )
    assert [each.key for each in found] == keys
    assert all(each.kind is Kind.VERSION_RETIRES for each in found)


def test_each_later_day_is_news_and_the_rest_once() -> None:
    later = replace(PLAN, retires=date(2027, 1, 1))
    first, second = (next(iter(versions.postponed(each, NOW))) for each in (PLAN, later))
    assert first.kind is Kind.VERSION_POSTPONED
    assert first.key != second.key
    kept, over = next(iter(versions.kept(PLAN, NOW))), next(iter(versions.retired(PLAN, NOW)))
    assert (kept.kind, over.kind) == (Kind.VERSION_KEPT, Kind.VERSION_RETIRED)
