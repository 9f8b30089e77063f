"""What a reconciliation asks of Kafka: topics to read, ends to wait for, offsets of groups."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds
from services.reconcile.window import LOOK_BACK_MS
from topics.event import KafkaRecord, TopicName

_LOOK_S: Final = 0.1
_TIMEOUT_S: Final = 15.0


class NotSettled(Exception):  # noqa: N818 - the caller waits or mends what stands still
    """A part of the bus has not come as far as the cut in time; the message says which."""


@dataclass(frozen=True, slots=True)
class BusReader:
    """Reads as the auditor; groups are asked for as the administrator."""

    lookup: Lookup
    admin: AdminClient
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ends(self, topic: TopicName) -> dict[Place, int]:
        """Where each partition ends for who reads what is committed."""
        reader = self.lookup.reader
        return {place: found.end for place, found in reader.bounds_of(reader.places(topic)).items()}

    def around(self, ends: Mapping[Place, int], at_ms: int) -> Iterator[KafkaRecord]:
        """The records from ``LOOK_BACK_MS`` before a time up to the ends."""
        starts = self.lookup.reader.offsets_at(ends, at_ms - LOOK_BACK_MS)
        yield from self.lookup.reader.read_all(
            {place: Bounds(min(starts[place], end), end) for place, end in ends.items()}
        )

    def whole(self, topic: TopicName) -> Iterator[KafkaRecord]:
        """Everything that is kept of a topic, once what is in it now can be read."""
        reader = self.lookup.reader
        yield from reader.read_all(reader.bounds_of(reader.places(topic)))

    def size(self, topic: TopicName) -> int:
        """How many offsets a topic spans."""
        reader = self.lookup.reader
        return sum(found.end - found.low for found in reader.bounds_of(reader.places(topic)).values())

    def committed(self, group: str, topic: TopicName) -> dict[Place, int]:
        """What the group reads next in each partition of a topic; zero where it never committed."""
        places = self.lookup.reader.places(topic)
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*place) for place in places])
        answer = self.admin.list_consumer_group_offsets(
            [asked], require_stable=True, request_timeout=_TIMEOUT_S
        )[group].result()
        return {
            Place(TopicName(one.topic), one.partition): max(0, one.offset)
            for one in answer.topic_partitions or ()
        }

    def await_group(self, group: str, ends: Mapping[Place, int], topic: TopicName, until: float) -> None:
        """Wait until the group has committed past every record before the ends.

        Raises:
            NotSettled: it has not, by ``until``.
        """
        self.wait(lambda: self._is_past(group, ends, topic), until, f"group {group} does not read {topic}")

    def await_readable(self, topic: TopicName, until: float) -> None:
        """Wait until what is in a topic now can be read: no transaction that began before is open.

        Raises:
            NotSettled: one still is, by ``until``.
        """
        reader = self.lookup.reader
        highs = reader.highs_of(reader.places(topic))

        def readable() -> bool:
            return all(found.end >= highs[place] for place, found in reader.bounds_of(highs).items())

        self.wait(readable, until, f"a transaction in {topic} stays open")

    def wait(self, condition: Callable[[], bool], until: float, what: str) -> None:
        """Ask again and again.

        Raises:
            NotSettled: the condition is not true by ``until``.
        """
        while not condition():
            if self.clock() > until:
                raise NotSettled(what)
            self.sleep(_LOOK_S)

    def _is_past(self, group: str, ends: Mapping[Place, int], topic: TopicName) -> bool:
        committed = self.committed(group, topic)
        rest = {place: Bounds(committed.get(place, 0), end) for place, end in ends.items()}
        # The marks of transactions lie there at least.
        return next(iter(self.lookup.reader.read_all(rest)), None) is None
