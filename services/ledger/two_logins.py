"""Reads as two users: what only providers and the operator may read as the operator, the rest as auditor.

The auditor's own user may not read quarantine and claims, because both hold what somebody claimed of persons.
Who runs a command that counts or shows them is an operator and has that login.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.ledger.counts import Place
from services.ledger.reader import Bounds, TopicReader
from topics.event import KafkaRecord, TopicName

OPERATORS: Final = ("quarantine.", "claims.")
"""Prefixes of the topics that the operator reads and the auditor does not."""


class TwoUsers(Exception):  # noqa: N818 - the caller asks twice
    """Topics of both users cannot be followed by one reader: follow them apart."""


@dataclass(frozen=True, slots=True)
class TwoLogins:
    """A reader that asks the right one of two; a question about many partitions is asked of both in turn."""

    auditor: TopicReader
    operator: TopicReader

    def layout(self) -> dict[TopicName, list[Place]]:
        """Every topic that one of the users may see and is the one to read, sorted."""
        found = {name: places for name, places in self.auditor.layout().items() if not _is_operators(name)}
        found |= {name: places for name, places in self.operator.layout().items() if _is_operators(name)}
        return dict(sorted(found.items()))

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic, in order; none where the topic does not exist."""
        return self._of(topic).places(topic)

    def topics(self) -> list[TopicName]:
        """Every topic that one of the users may see and is the one to read, sorted."""
        return list(self.layout())

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        """Low watermark and last stable offset of each."""
        return {p: b for reader, own in self._split(places) for p, b in reader.bounds_of(own).items()}

    def highs_of(self, places: Iterable[Place]) -> dict[Place, int]:
        """The end offset of each, open transactions included."""
        return {p: end for reader, own in self._split(places) for p, end in reader.highs_of(own).items()}

    def offsets_at(self, places: Iterable[Place], timestamp_ms: int) -> dict[Place, int]:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        parts = self._split(places)
        return {p: at for reader, own in parts for p, at in reader.offsets_at(own, timestamp_ms).items()}

    def bounds(self, place: Place) -> Bounds:
        """Low watermark and last stable offset."""
        return self._of(place.topic).bounds(place)

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        return self._of(place.topic).offset_at(place, timestamp_ms)

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        """The committed records in the ranges: each partition in order, partitions as they come."""
        for reader, own in self._split(ranges):
            yield from reader.read_all({place: ranges[place] for place in own})

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        """The committed records with ``start <= offset < end``, in order."""
        yield from self._of(place.topic).read(place, start, end)

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        """Records from those offsets on, as they come, until ``stop`` says so.

        Raises:
            TwoUsers: some of the topics are the operator's and some are not.
        """
        parts = self._split(places)
        if len(parts) > 1:
            raise TwoUsers("topics of the operator and of the auditor cannot be followed together")
        for reader, _ in parts:
            yield from reader.follow(places, stop)

    def _of(self, topic: str) -> TopicReader:
        return self.operator if _is_operators(topic) else self.auditor

    def _split(self, places: Iterable[Place]) -> list[tuple[TopicReader, list[Place]]]:
        """The partitions of each user, without a user who has none."""
        own: dict[bool, list[Place]] = {}
        for place in places:
            own.setdefault(_is_operators(place.topic), []).append(place)
        return [(self.operator if operators else self.auditor, found) for operators, found in own.items()]


def _is_operators(topic: str) -> bool:
    return topic.startswith(OPERATORS)
