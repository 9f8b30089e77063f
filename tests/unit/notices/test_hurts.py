"""What hurts consumers soon: readers behind, rights that end, resources without news, versions that break."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.notices.hurts import (
    Freshness,
    Reader,
    Right,
    longest_silence,
    readers_behind,
    rights_that_end,
    stale_resources,
)
from services.control.notices.versions import (
    Break,
    NewVersion,
    announcement,
    breaks,
    plan_problems,
    retirement,
)
from services.control.notices.words import Audience, Kind, Slot
from tests.support.notices import NOW
from topics.quality.declaration import UpdateCycle
from topics.schema_rules import ItemForm

READER = Reader("health-persons", "health", "operations", timedelta(days=1), timedelta(days=7), 42)
RIGHT = Right("health-persons", "health", "police", "operations", date(2026, 9, 25))
PERSONS = Freshness(
    "population.person.v1", "police", "bureau", "operations", ("health", "tax"), NOW, UpdateCycle.DAILY
)
PLAN = NewVersion(
    "population.person.v1",
    "population.person.v2",
    "police",
    "bureau",
    "operations",
    ("health", "tax"),
    NOW,
    date(2026, 10, 1),
    date(2026, 12, 1),
)
TEXT, NUMBER = ItemForm("string", None, False), ItemForm("int", None, False)


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


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ({"id": TEXT, "age": NUMBER}, []),
        ({"id": TEXT, "age": NUMBER, "more": TEXT}, []),
        ({"id": TEXT}, [Break("age", "it is gone")]),
        ({"id": TEXT, "age": TEXT}, [Break("age", "it was int and is string")]),
        ({"id": TEXT, "age": ItemForm("long", None, False)}, [Break("age", "it was int and is long")]),
        ({"id": TEXT, "age": ItemForm("int", "date", False)}, [Break("age", "it was int and is int (date)")]),
        ({"id": TEXT, "age": ItemForm("int", None, True)}, [Break("age", "it may be empty now")]),
        ({}, [Break("id", "it is gone"), Break("age", "it is gone")]),
    ],
)
def test_what_a_reader_cannot_follow_breaks(new: dict[str, ItemForm], found: list[Break]) -> None:
    assert list(breaks({"id": TEXT, "age": NUMBER}, new)) == found


def test_what_may_be_empty_may_become_never_empty() -> None:
    assert breaks({"age": ItemForm("int", None, True)}, {"age": NUMBER}) == ()


def test_a_plan_with_a_date_and_a_parallel_run_is_announced_to_every_consumer() -> None:
    assert plan_problems(PLAN) == ()
    found = announcement(PLAN)
    assert found.kind is Kind.VERSION_ANNOUNCED
    assert found.parties[Audience.CONSUMER] == ("health", "tax")
    assert (found.facts[Slot.DAY], found.facts[Slot.UNTIL]) == (PLAN.parallel_from, PLAN.retires)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"new": "population.person.v1"}, ["SAME_VERSION"]),
        ({"parallel_from": date(2026, 9, 18)}, ["BEGINS_AT_ONCE"]),
        ({"parallel_from": date(2026, 9, 19)}, []),
        ({"retires": date(2026, 10, 30)}, ["PARALLEL_TOO_SHORT"]),
        ({"retires": date(2026, 10, 31)}, []),
        (
            {"new": "population.person.v1", "parallel_from": date(2026, 9, 1), "retires": date(2026, 9, 1)},
            ["SAME_VERSION", "BEGINS_AT_ONCE", "PARALLEL_TOO_SHORT"],
        ),
    ],
)
def test_everything_wrong_with_a_plan_is_said_at_once(changes: dict[str, date], codes: list[str]) -> None:
    found = plan_problems(replace(PLAN, **changes))  # type: ignore[arg-type]
    assert [each.code for each in found] == codes
    assert all(each.what and each.remedy for each in found)


@pytest.mark.parametrize(
    ("day", "kind", "key"),
    [
        ("2026-10-31", None, ""),
        ("2026-11-01", Kind.VERSION_RETIRES, "retires:population.person.v1:2026-12-01:30"),
        ("2026-11-24", Kind.VERSION_RETIRES, "retires:population.person.v1:2026-12-01:7"),
        ("2026-11-30", Kind.VERSION_RETIRES, "retires:population.person.v1:2026-12-01:1"),
        ("2026-12-01", Kind.VERSION_RETIRED, "retired:population.person.v1:2026-12-01"),
        ("2027-02-01", Kind.VERSION_RETIRED, "retired:population.person.v1:2026-12-01"),
    ],
)
def test_the_end_of_the_old_version_comes_nearer_step_by_step(day: str, kind: Kind | None, key: str) -> None:
    found = retirement(PLAN, datetime.fromisoformat(f"{day}T04:00:00").replace(tzinfo=UTC))
    assert (None if found is None else found.kind) is kind
    assert ("" if found is None else found.key) == key
