"""Quarantine and claims are asked for as the operator, everything else as the auditor, in one reader."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from services.ledger.counts import Place
from services.ledger.reader import Bounds, ReadRefused, read_whole
from services.ledger.two_logins import OPERATORS, TwoLogins, TwoUsers
from tests.support.memory_bus import MemoryReader
from topics.event import KafkaRecord, TopicName

RAW, QUARANTINE, CLAIMS = "raw.police.public.person", "quarantine.police", "claims.police"


@dataclass
class Refusing(MemoryReader):
    """A broker that shows every topic and gives one user only his own."""

    operator: bool = False
    asked: list[str] = field(default_factory=list)

    def _check(self, places: Iterable[Place]) -> None:
        for place in places:
            self.asked.append(place.topic)
            if place.topic.startswith(OPERATORS) is not self.operator:
                raise ReadRefused(place.topic)

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        found = list(places)
        self._check(found)
        return super().bounds_of(found)

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        self._check(ranges)
        yield from super().read_all(ranges)


def filled(*, operator: bool) -> Refusing:
    found = Refusing(operator=operator)
    for topic in (RAW, QUARANTINE, CLAIMS):
        found.add(topic, 0, b"k", topic.encode())
    return found


@pytest.fixture
def reader() -> TwoLogins:
    return TwoLogins(filled(operator=False), filled(operator=True))


def test_each_topic_is_read_as_the_user_who_may(reader: TwoLogins) -> None:
    records = list(read_whole(reader, TopicName(RAW), TopicName(QUARANTINE), TopicName(CLAIMS)))
    assert {record.value for record in records} == {RAW.encode(), QUARANTINE.encode(), CLAIMS.encode()}


def test_all_topics_are_seen_once_and_in_order(reader: TwoLogins) -> None:
    assert reader.topics() == [CLAIMS, QUARANTINE, RAW]
    assert reader.places(TopicName(QUARANTINE)) == [Place(TopicName(QUARANTINE), 0)]


def test_what_one_user_may_not_see_is_not_taken_from_the_other(reader: TwoLogins) -> None:
    blind = TwoLogins(reader.auditor, Refusing(operator=True))
    assert blind.topics() == [RAW]


def test_questions_about_many_partitions_are_answered_together(reader: TwoLogins) -> None:
    places = [place for topic in reader.topics() for place in reader.places(topic)]
    assert set(reader.bounds_of(places)) == set(reader.highs_of(places)) == set(places)
    assert set(reader.offsets_at(places, 0).values()) == {0}
    assert {reader.bounds(place).end for place in places} == {1}
    assert {reader.offset_at(place, 0) for place in places} == {0}
    assert [len(list(reader.read(place, 0, 1))) for place in places] == [1, 1, 1]


def test_topics_of_both_users_are_not_followed_as_one(reader: TwoLogins) -> None:
    one = {Place(TopicName(QUARANTINE), 0): 0}
    assert [record.topic for record in reader.follow(one, lambda: False)] == [QUARANTINE]
    with pytest.raises(TwoUsers):
        list(reader.follow({**one, Place(TopicName(RAW), 0): 0}, lambda: False))
