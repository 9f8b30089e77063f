"""The lanes of one batch while it is decided, and what one input partition has written to them so far."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, Protocol

from topics.engine.lanes import Lane, RecordLane
from topics.event import OutputRecord, TopicName


class Written(NamedTuple):
    """What one input partition wrote to one output partition."""

    topic: TopicName
    partition: int
    records: int
    digest: str
    """SHA-256 over the digest form of the records, in hexadecimal."""


class WrittenLanes:
    """What lanes that come one after another write to each output partition, digested as they come."""

    def __init__(self) -> None:
        self._records: Counter[tuple[TopicName, int]] = Counter()
        self._digests: dict[tuple[TopicName, int], Any] = {}

    def add(self, lanes: Iterable[Lane]) -> None:
        """Put them behind what was written to their partitions before."""
        for lane in lanes:
            place = (lane.topic, lane.partition)
            if place not in self._digests:
                self._digests[place] = hashlib.sha256()
            self._records[place] += len(lane)
            lane.feed(self._digests[place])

    def written(self) -> list[Written]:
        """Everything so far."""
        return [
            Written(*place, self._records[place], digest.hexdigest())
            for place, digest in self._digests.items()
        ]


class LaneBook(Protocol):
    """Lanes that grow; input partitions are decided one after another."""

    def begin(self) -> None:
        """From here on the outputs are those of the next input partition."""
        ...

    def extend(self, outputs: Iterable[OutputRecord]) -> None:
        """Put ready records behind what their lanes hold."""
        ...

    def written(self) -> list[Written]:
        """What was written since ``begin``."""
        ...

    def lanes(self) -> tuple[Lane, ...]:
        """Every lane, in the order in which they were begun."""
        ...


class RecordLaneBook:
    """Lanes of ready records."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[TopicName, int], RecordLane] = {}
        self._begun: dict[tuple[TopicName, int], int] = {}

    def begin(self) -> None:
        """See ``LaneBook.begin``."""
        self._begun = {place: len(lane) for place, lane in self._lanes.items()}

    def extend(self, outputs: Iterable[OutputRecord]) -> None:
        """See ``LaneBook.extend``."""
        for output in outputs:
            place = (output.topic, output.partition)
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = RecordLane(*place)
            lane.append(output)

    def written(self) -> list[Written]:
        """See ``LaneBook.written``."""
        found = []
        for place, lane in self._lanes.items():
            own = list(islice(lane, self._begun.get(place, 0), None))
            if own:
                found.append(Written(*place, len(own), RecordLane(*place, own).digest()))
        return found

    def lanes(self) -> tuple[Lane, ...]:
        """See ``LaneBook.lanes``."""
        return tuple(self._lanes.values())
