"""Kafka as tests of the collector want it: partitions with records of certain ages, groups at positions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from services.control.process.collecting.view import Newest
from services.ledger.counts import Place
from topics.event import TopicName


@dataclass(slots=True)
class MemoryView:
    """Topics as lists of the times of their offsets, in ms; ``questions`` counts what was asked."""

    topics: dict[TopicName, list[list[int]]]
    groups: dict[str, dict[Place, int]] = field(default_factory=dict)
    fails: Exception | None = None
    questions: int = 0

    def layout(self) -> dict[TopicName, list[Place]]:
        self._asked()
        return {
            topic: [Place(topic, number) for number in range(len(own))] for topic, own in self.topics.items()
        }

    def begins(self, places: Iterable[Place]) -> dict[Place, int]:
        self._asked()
        return dict.fromkeys(places, 0)

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        self._asked()
        return {at: len(self._times(at)) for at in places}

    def newest(self, places: Iterable[Place]) -> dict[Place, Newest]:
        self._asked()
        return {at: Newest(len(times) - 1, times[-1]) for at in places if (times := self._times(at))}

    def first_at(self, times: Mapping[Place, int]) -> dict[Place, int]:
        self._asked()
        return {
            at: next((offset for offset, one in enumerate(self._times(at)) if one >= time), -1)
            for at, time in times.items()
        }

    def committed(self, wanted: Callable[[str], bool]) -> dict[str, dict[Place, int]]:
        self._asked()
        return {group: positions for group, positions in self.groups.items() if wanted(group)}

    def _times(self, at: Place) -> list[int]:
        return self.topics[at.topic][at.partition]

    def _asked(self) -> None:
        self.questions += 1
        if self.fails is not None:
            raise self.fails
