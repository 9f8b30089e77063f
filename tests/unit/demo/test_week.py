"""A generated week: the same for the same seed, of the shares that a register has, and kept apart by day."""

from collections import Counter
from datetime import date, datetime

import pytest

from services.demo.databases import POLICE
from services.demo.week import WEEK_IDS, CitySize, Day, generate_day
from services.demo.week_book import second_of, stretches

FIRST = date(2025, 1, 6)
SIZE = CitySize(persons=500, enterprises=50, enrolments=700)


def day(number: int, seed: int = 1) -> Day:
    return generate_day(number, FIRST, SIZE, 400, seed)


def statements(of: Day) -> list[tuple[str, tuple[object, ...]]]:
    return [statement for work in of.works for statement in work.statements]


def test_the_same_seed_gives_the_same_day_and_another_one_another() -> None:
    assert day(2) == day(2)
    assert statements(day(2)) != statements(day(2, seed=2))
    assert statements(day(2)) != statements(day(3))


@pytest.mark.parametrize("number", [1, 2, 7])
def test_every_row_that_is_written_carries_a_moment_of_the_played_day(number: int) -> None:
    written = [
        value for _, values in statements(day(number)) for value in values if isinstance(value, datetime)
    ]
    assert len(written) > 380
    assert {moment.date() for moment in written} == {date(2025, 1, 5 + number)}


def test_all_three_departments_work_and_some_transactions_hold_several_rows() -> None:
    works = day(1).works
    per_provider = Counter(work.provider for work in works)
    assert len(per_provider) == 3
    assert all(count >= 10 for count in per_provider.values())
    sizes = Counter(len(work.statements) for work in works)
    assert sizes[1] > 20
    assert max(sizes) > 4


def test_what_is_mistyped_on_one_day_is_corrected_on_the_next() -> None:
    def rows(of: Day, text: str) -> set[object]:
        return {values[-1] for statement, values in statements(of) if text in statement}

    assert rows(day(1), "rtrim(sex") == set()
    assert rows(day(2), "rtrim(sex") == rows(day(1), "sex || '?'")
    assert len(rows(day(2), "sex || '?'")) == 4


def test_persons_who_come_into_being_have_ids_that_no_other_day_uses() -> None:
    def ids(of: Day) -> set[int]:
        return {
            int(str(values[0])) for statement, values in statements(of) if statement.startswith("INSERT INTO")
        }

    assert len(ids(day(1))) == 20
    assert min(ids(day(1))) > WEEK_IDS
    assert ids(day(1)).isdisjoint(ids(day(2)))
    assert {work.provider for work in day(1).works if "INSERT" in work.statements[0][0]} == {POLICE}


def test_a_stretch_holds_only_partitions_in_which_something_was_decided() -> None:
    before = {("raw.a", 0): 5, ("raw.a", 1): 7}
    after = {("raw.a", 0): 5, ("raw.a", 1): 9, ("raw.b", 0): 2}
    assert stretches(before, after) == {"raw.a/1": (7, 9), "raw.b/0": (0, 2)}


def test_a_moment_is_told_in_whole_seconds_as_the_commands_take_it() -> None:
    assert second_of(1_736_121_600_999) == "2025-01-06T00:00:00Z"
