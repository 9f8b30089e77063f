"""Watches a run from outside: how far each group has committed, and when it has recovered from a fault."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from services.ledger.blocks import Chain
from services.ledger.counts import Place
from services.ledger.reader import KafkaTopicReader, KafkaUnavailable
from topics.event import TopicName

POLL_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 2.0
_STILL_SECONDS: Final = 4.0
Marks = Mapping[Chain, int]
IMPATIENT: Final[Mapping[str, Any]] = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250}
"""For clients of the run itself: they must not be what is waited for after a broken connection."""


class Unfinished(Exception):  # noqa: N818 - named after what happened
    """Not everything was decided in the time that was given."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """When every chain moved again, and what its time is made of."""

    at: float
    """On the monotonic clock."""
    last: Chain
    """The chain that was waited for longest."""
    slowest_look_s: float
    """The longest single question to the broker: so much later than it happened it may have been seen."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Some chains did not move in time."""

    waiting: Marks
    """Each of them with the mark that it did not pass."""
    committed: Marks
    """Where they stood at the last look; empty where the broker did not answer it."""

    def __str__(self) -> str:
        places = (
            f"{chain.topic}:{chain.partition} at {self.committed.get(chain, '?')}, not past {mark}"
            for chain, mark in sorted(self.waiting.items())
        )
        return "; ".join(places)


class Watch:
    """Committed offsets of every chain against the ends of their inputs."""

    def __init__(self, config: Mapping[str, Any], chains: Iterable[Chain]) -> None:
        config = {**config, **IMPATIENT, "log_level": 0}
        self._chains = tuple(chains)
        self._config = config
        self._admin: AdminClient | None = None
        self._reader = KafkaTopicReader(config, "ledger.chaos", _ANSWER_SECONDS)

    def marks(self, seconds: float = 60.0) -> Marks:
        """The end of each chain's input now: what is written from here on comes after a fault.

        Raises:
            KafkaUnavailable: the broker does not answer within the time.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                ends = self._reader.highs_of({_place(chain) for chain in self._chains})
                return {chain: ends[_place(chain)] for chain in self._chains}
            except KafkaUnavailable:
                # A client from before the broker was killed asks with the old leader's epoch for ever.
                self._reader.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def recovered(
        self, marks: Marks, seconds: float, meanwhile: Callable[[], None] = lambda: None
    ) -> Recovery | Stalled:
        """When every chain had committed a record from after its mark, or which had not.

        That is stricter than moving: a commit that was under way when the fault came does not count.
        ``meanwhile`` is called between two looks.
        """
        waiting, deadline, slowest = dict(marks), time.monotonic() + seconds, 0.0
        last, committed = next(iter(waiting)), dict[Chain, int]()
        while time.monotonic() < deadline:
            asked = time.monotonic()
            committed = self.committed()
            slowest = max(slowest, time.monotonic() - asked)
            waiting = {chain: mark for chain, mark in waiting.items() if committed.get(chain, 0) <= mark}
            if not waiting:
                return Recovery(time.monotonic(), last, slowest)
            last = next(iter(waiting))
            meanwhile()
            time.sleep(POLL_SECONDS)
        return Stalled(waiting, committed)

    def joined(self, group: str, member: str, seconds: float) -> float | None:
        """When the group knew the member (by its static id), on the monotonic clock; None: never."""
        return self._when(lambda: member in self._members(group), seconds)

    def owns_something(self, group: str, member: str, seconds: float) -> float | None:
        """When the member had got partitions; None: never."""
        return self._when(lambda: self._members(group).get(member, 0) > 0, seconds)

    def _when(self, happened: Callable[[], bool], seconds: float) -> float | None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if happened():
                return time.monotonic()
            time.sleep(POLL_SECONDS)
        return None

    def _members(self, group: str) -> dict[str, int]:
        """Static id → how many partitions; empty while the broker does not answer."""
        try:
            asked = self._ask().describe_consumer_groups([group], request_timeout=_ANSWER_SECONDS)
            found = asked[group].result(_ANSWER_SECONDS * 2)
        except (KafkaException, TimeoutError):
            self._admin = None
            return {}
        return {
            member.group_instance_id: len(member.assignment.topic_partitions)
            for member in found.members
            if member.group_instance_id is not None and member.assignment is not None
        }

    def drain(self, seconds: float) -> None:
        """Wait until nothing is left to decide and no transaction is open.

        The end of a topic written in transactions is never quite reached by an offset, because of their
        markers: the fan-out is at the end when the gate is and it has stood still for a while.

        Raises:
            Unfinished: the time is over.
        """
        deadline, since, before = time.monotonic() + seconds, time.monotonic(), dict[Chain, int]()
        while time.monotonic() < deadline:
            committed = self.committed()
            if committed != before or not self._at_the_end(committed):
                since, before = time.monotonic(), committed
            elif time.monotonic() - since > _STILL_SECONDS:
                return
            time.sleep(POLL_SECONDS * 4)
        raise Unfinished(f"not everything was decided within {seconds:.0f} s")

    def committed(self) -> dict[Chain, int]:
        """The committed offset of each chain; empty while the broker does not answer."""
        found: dict[Chain, int] = {}
        try:
            for group in {chain.group for chain in self._chains}:
                found |= self._committed_by(group)
        except (KafkaException, TimeoutError):
            # A client from before the broker was killed may go on asking nobody: the next one asks anew.
            self._admin = None
            return {}
        return found

    def _committed_by(self, group: str) -> dict[Chain, int]:
        parts = [TopicPartition(chain.topic, chain.partition) for chain in self._of(group)]
        asked = self._ask().list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, parts)], request_timeout=_ANSWER_SECONDS
        )
        answer = asked[group].result(_ANSWER_SECONDS * 2)
        return {
            Chain(group, TopicName(part.topic), part.partition): max(part.offset, 0)
            for part in answer.topic_partitions or ()
        }

    def _ask(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient(self._config)
        return self._admin

    def close(self) -> None:
        """Let go of the broker."""
        self._admin = None
        self._reader.close()

    def _of(self, group: str) -> list[Chain]:
        return [chain for chain in self._chains if chain.group == group]

    def _at_the_end(self, committed: Mapping[Chain, int]) -> bool:
        """Whether the gate has decided everything, and no transaction is open."""
        places = [_place(chain) for chain in self._chains]
        try:
            stable, highs = self._reader.bounds_of(places), self._reader.highs_of(places)
        except KafkaUnavailable:
            self._reader.close()
            return False
        gate = [chain for chain in self._chains if chain.topic.startswith("raw.")]
        return all(stable[place].end >= highs[place] for place in places) and all(
            committed.get(chain) == highs[_place(chain)] for chain in gate
        )


def _place(chain: Chain) -> Place:
    return Place(chain.topic, chain.partition)
