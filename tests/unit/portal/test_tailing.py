"""Looking into a topic: what is shown, how far the search is, how it ends, and where it goes on."""

import pytest

from services.ledger.showing import NotAnOffset
from services.portal.operations.tailing import (
    Ended,
    Finished,
    Line,
    NoSuchTopic,
    Places,
    Scanned,
    Step,
    Tail,
    Wanted,
)
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import ADDRESS, NAME, NUMBER, PERSON
from topics.event import TopicName

PERSONS = TopicName("resource.population.person.v1")
STRANGE = TopicName("strange")
BIG = 9_007_199_254_740_993
"""The first whole number that a browser's arithmetic cannot hold."""


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.change("c", after={**PERSON, "id": BIG})
    found.pump()
    return found


def look(city: MemoryCity, wanted: Wanted, *, reveal: bool = False) -> list[Step]:
    return list(Tail(city.lookup, city.policy, wanted, reveal).steps())


def lines(steps: list[Step]) -> list[Line]:
    return [step for step in steps if isinstance(step, Line)]


def shown(steps: list[Step]) -> str:
    return " ".join(f"{line.key} {line.value} {line.headers}" for line in lines(steps))


@pytest.mark.requirement("A11-13")
def test_values_are_masked_unless_they_are_revealed(city: MemoryCity) -> None:
    masked = shown(look(city, Wanted(PERSONS, "beginning")))
    assert masked
    for secret in (NAME, ADDRESS, NUMBER):
        assert secret not in masked
        assert secret in shown(look(city, Wanted(PERSONS, "beginning"), reveal=True))


def test_whole_numbers_stand_there_with_every_digit(city: MemoryCity) -> None:
    raw = look(city, Wanted(TopicName("raw.police.public.person"), "beginning"), reveal=True)
    assert str(BIG) in shown(raw)


def test_a_filter_finds_what_is_shown_and_never_what_is_masked(city: MemoryCity) -> None:
    assert lines(look(city, Wanted(PERSONS, "beginning", words=NAME))) == []
    assert len(lines(look(city, Wanted(PERSONS, "beginning", words=NAME), reveal=True))) == 2
    assert len(lines(look(city, Wanted(PERSONS, "beginning", words="320508")))) == 2


def test_the_search_says_how_far_it_is_and_how_it_ended(city: MemoryCity) -> None:
    for number in range(1_200):
        city.memory.add(STRANGE, 0, b"k", f"v-{number}".encode())
    steps = look(city, Wanted(STRANGE, "beginning", words="v-1199", lines=50))
    told = [step for step in steps if isinstance(step, Scanned)]
    assert [(each.records, each.left) for each in told] == [(0, 1_200), (500, 700), (1_000, 200), (1_200, 0)]
    assert steps[-1] == Finished(Ended.AT_END, 1_200, 0), "values that nobody declared harmless are masked"
    revealed = look(city, Wanted(STRANGE, "beginning", words="v-1199"), reveal=True)
    assert revealed[-1] == Finished(Ended.AT_END, 1_200, 1)


def test_enough_lines_end_the_search(city: MemoryCity) -> None:
    for number in range(60):
        city.memory.add(STRANGE, 0, b"k", str(number).encode())
    assert look(city, Wanted(STRANGE, "beginning", lines=50))[-1] == Finished(Ended.ENOUGH_LINES, 50, 50)


def test_who_comes_back_goes_on_after_the_last_record_that_came(city: MemoryCity) -> None:
    for partition in (0, 1):
        for number in range(3):
            city.memory.add(STRANGE, partition, b"k", f"{partition}-{number}".encode())
    first = lines(look(city, Wanted(STRANGE, "beginning", lines=4), reveal=True))
    rest = lines(look(city, Wanted(STRANGE, "end", position=first[-1].position), reveal=True))
    seen = [line.value for line in (*first, *rest)]
    assert len(seen) == 6
    assert set(seen) == {f"{partition}-{number}" for partition in (0, 1) for number in range(3)}


@pytest.mark.parametrize("position", ["", "nonsense", "0:", "0:99999999999999999999", "0:1;1:2"])
def test_a_position_that_is_none_begins_where_the_offset_says(city: MemoryCity, position: str) -> None:
    city.memory.add(STRANGE, 0, b"k", b"v")
    assert len(lines(look(city, Wanted(STRANGE, "beginning", position=position)))) == 1


def test_a_tombstone_is_shown_as_one_and_long_values_are_folded(city: MemoryCity) -> None:
    city.memory.add(STRANGE, 0, b"k", None)
    city.memory.add(STRANGE, 0, b"k", b"x" * 30_000)
    [gone, long] = lines(look(city, Wanted(STRANGE, "beginning"), reveal=True))
    assert (gone.value, gone.is_long, long.is_long) == (None, False, True)


def test_what_is_not_there_is_said(city: MemoryCity) -> None:
    with pytest.raises(NoSuchTopic):
        look(city, Wanted(TopicName("nobody")))
    with pytest.raises(NoSuchTopic):
        look(city, Wanted(PERSONS, partition=99))
    with pytest.raises(NotAnOffset):
        look(city, Wanted(PERSONS, "tomorrow"))


def test_no_more_look_at_once_than_there_are_places() -> None:
    places = Places(2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert places.take()
