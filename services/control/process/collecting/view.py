"""What the collector asks of Kafka: always of everything at once, and never for a record of a department."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from services.ledger.counts import Place
from topics.event import TopicName

_TIMEOUT_S: Final = 10.0
# The client library leaves these without types.
_EARLIEST: Final[OffsetSpec] = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_NEWEST: Final[OffsetSpec] = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]


class Newest(NamedTuple):
    """Where a partition's newest record stands, and when it was written, in ms since 1970."""

    offset: int
    timestamp_ms: int


class BusView(Protocol):
    """Kafka from outside; each question is one for all partitions."""

    def layout(self) -> dict[TopicName, list[Place]]:
        """Every topic with its partitions, but for Kafka's own."""

    def begins(self, places: Iterable[Place]) -> dict[Place, int]:
        """The first offset that each partition keeps."""

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """The offset up to which all transactions of each partition have ended."""

    def newest(self, places: Iterable[Place]) -> dict[Place, Newest]:
        """The newest record of each partition that has any."""

    def first_at(self, times: Mapping[Place, int]) -> dict[Place, int]:
        """The first offset whose record is not older than the partition's time; -1 where there is none."""

    def committed(self, wanted: Callable[[str], bool]) -> dict[str, dict[Place, int]]:
        """Group → partition → the offset that it reads next; of the groups whose name is wanted."""


@dataclass(slots=True)
class KafkaView:
    """The real one; the connection is kept."""

    config: Mapping[str, Any] = field(repr=False)
    timeout_s: float = _TIMEOUT_S
    _admin: AdminClient | None = field(default=None, init=False, repr=False)

    def layout(self) -> dict[TopicName, list[Place]]:
        """Every topic with its partitions, but for Kafka's own."""
        with self._asking() as admin:
            listed = admin.list_topics(timeout=self.timeout_s).topics
        return {
            TopicName(name): [Place(TopicName(name), number) for number in sorted(entry.partitions)]
            for name, entry in sorted(listed.items())
            if entry.error is None and not name.startswith("_")
        }

    def begins(self, places: Iterable[Place]) -> dict[Place, int]:
        """The first offset that each partition keeps."""
        return {at: found.offset for at, found in self._listed(dict.fromkeys(places, _EARLIEST)).items()}

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """The offset up to which all transactions of each partition have ended."""
        return {at: found.offset for at, found in self._listed(dict.fromkeys(places, _LATEST)).items()}

    def newest(self, places: Iterable[Place]) -> dict[Place, Newest]:
        """The newest record of each partition that has any."""
        found = self._listed(dict.fromkeys(places, _NEWEST))
        return {at: Newest(one.offset, one.timestamp) for at, one in found.items() if one.offset >= 0}

    def first_at(self, times: Mapping[Place, int]) -> dict[Place, int]:
        """The first offset whose record is not older than the partition's time; -1 where there is none."""
        asked = {at: OffsetSpec.for_timestamp(max(0, time)) for at, time in times.items()}
        return {at: found.offset for at, found in self._listed(asked).items()}

    def committed(self, wanted: Callable[[str], bool]) -> dict[str, dict[Place, int]]:
        """Group → partition → the offset that it reads next.

        The client library asks for one group at a time; all are asked before the first answer is waited for.
        """
        with self._asking() as admin:
            listing = admin.list_consumer_groups(request_timeout=self.timeout_s).result()
            groups = [one.group_id for one in listing.valid if wanted(one.group_id)]
            answers = [
                admin.list_consumer_group_offsets(
                    [ConsumerGroupTopicPartitions(group)], request_timeout=self.timeout_s
                )[group]
                for group in groups
            ]
            return {group: _positions(answer.result()) for group, answer in zip(groups, answers, strict=True)}

    def _listed(self, asked: Mapping[Place, OffsetSpec]) -> dict[Place, ListOffsetsResultInfo]:
        """One question for all partitions."""
        if not asked:
            return {}
        with self._asking() as admin:
            answers = admin.list_offsets(
                {TopicPartition(*at): what for at, what in asked.items()},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=self.timeout_s,
            )
            return {
                Place(TopicName(one.topic), one.partition): answer.result() for one, answer in answers.items()
            }

    @contextmanager
    def _asking(self) -> Iterator[AdminClient]:
        """The client; after an error the next question is asked by a new one.

        A client from before the broker was killed asks with the old leader's epoch for ever.
        """
        if self._admin is None:
            self._admin = AdminClient({**self.config, "log_level": 0})
        try:
            yield self._admin
        except KafkaException:
            self._admin = None
            raise


def _positions(found: ConsumerGroupTopicPartitions) -> dict[Place, int]:
    return {
        Place(TopicName(one.topic), one.partition): one.offset
        for one in found.topic_partitions or ()
        if one.offset >= 0
    }
