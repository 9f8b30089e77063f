"""Counts what each resource holds: its topic is read once a day, since only the topic itself knows.

A record counts that stands and was not withdrawn; its bytes are those of its newest state, key and value.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.control.process.loops import NotYet
from services.control.store import snapshots
from services.control.store.database import ControlDatabase, Task
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from topics.event import KafkaRecord, TopicName
from topics.policy import Policy


class Reader(Protocol):
    """What is needed of a reader of topics."""

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic; none where it does not exist."""

    def bounds(self, place: Place) -> Bounds:
        """The first offset that it keeps, and its stable end."""

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterable[KafkaRecord]:
        """The committed records in the ranges."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a resource holds."""

    records: int
    bytes: int


def holding(reader: Reader, topic: TopicName) -> Holding:
    """What stands in a canonical topic: partition by partition, so that only one's keys are in memory."""
    records = size = 0
    for place in reader.places(topic):
        stands: dict[bytes, int] = {}
        for record in reader.read_all({place: reader.bounds(place)}):
            key = record.key or b""
            if record.value is None:
                stands.pop(key, None)
            else:
                stands[key] = len(key) + len(record.value)
        records += len(stands)
        size += sum(stands.values())
    return Holding(records, size)


@dataclass(frozen=True, slots=True)
class CensusTurn:
    """Takes turns; of several processes one does so at a time."""

    database: ControlDatabase
    policy: Callable[[], Policy | None]
    open_reader: Callable[[], AbstractContextManager[Reader]]
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Count every resource once; there is never more to do at once.

        Raises:
            NotYet: nothing was applied yet.
        """
        with self.database.alone(Task.CENSUS) as ours:
            if ours:
                self._count()
        return False

    def _count(self) -> None:
        policy, now = self.policy(), self.now()
        if policy is None:
            raise NotYet("there is no policy yet: `govbus apply` writes it")
        found = {}
        with self.open_reader() as reader:
            for id_, entry in policy.resources.items():
                held = holding(reader, entry.resource.canonical_topic)
                found[str(id_)] = {
                    "code": entry.resource.code,
                    "provider": str(entry.resource.provider),
                    "records": held.records,
                    "bytes": held.bytes,
                }
        with self.database.begin() as connection:
            snapshots.put(connection, snapshots.Kind.CENSUS, found, now)
