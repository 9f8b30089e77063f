"""A small bus in memory: topics that a reader reads, and a city whose books balance."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from services.ledger.counts import Place
from services.ledger.reader import Bounds, TopicMissing
from topics.event import KafkaRecord, TopicName


@dataclass
class MemoryReader:
    """Topics as lists of records; offsets may have gaps, as transaction markers leave them."""

    records: dict[Place, list[KafkaRecord]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)

    def add(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        timestamp_ms: int = 1_000,
        skip: int = 0,
    ) -> KafkaRecord:
        place = Place(TopicName(topic), partition)
        offset = self.ends.get(place, 0) + skip
        record = KafkaRecord(place.topic, partition, offset, timestamp_ms, key, value, headers)
        self.records.setdefault(place, []).append(record)
        self.ends[place] = offset + 1
        return record

    def make(self, topic: str, partitions: int) -> None:
        for number in range(partitions):
            self.ends.setdefault(Place(TopicName(topic), number), 0)

    def places(self, topic: TopicName) -> list[Place]:
        return sorted(place for place in self.ends if place.topic == topic)

    def topics(self) -> list[TopicName]:
        return sorted({place.topic for place in self.ends})

    def bounds(self, place: Place) -> Bounds:
        if place not in self.ends:
            raise TopicMissing(str(place))
        return Bounds(0, self.ends[place])

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        later = [r.offset for r in self.records.get(place, []) if r.timestamp_ms >= timestamp_ms]
        return min(later, default=self.ends[place])

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        yield from [r for r in self.records.get(place, []) if start <= r.offset < end]

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        for place, start in places.items():
            for record in self.read(place, start, self.ends[place]):
                if stop():
                    return
                yield record


@pytest.fixture
def memory() -> MemoryReader:
    return MemoryReader()
