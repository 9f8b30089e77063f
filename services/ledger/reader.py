"""Reads ranges of topics as a reader without a group: read_committed, to a known end, with a deadline."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.ledger.counts import Place
from topics.event import KafkaRecord, TopicName

BATCH: Final = 5_000
_POLL_SECONDS: Final = 0.5
_UNIMPORTANT: Final = frozenset(
    {
        # The group's name is only asked for by the client library; no group is ever joined.
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
    }
)


class KafkaUnavailable(Exception):  # noqa: N818 - the caller starts Kafka or waits
    """Kafka did not answer within the deadline; nothing can be said. Start it, or wait and try again."""


class ReadRefused(Exception):  # noqa: N818 - the caller needs another user
    """Kafka refuses to let this user read the topic."""


class TopicMissing(Exception):  # noqa: N818 - the caller names another topic
    """There is no such topic or partition, or none that this user may know of: Kafka hides those."""


class Bounds(NamedTuple):
    """First offset kept and the last stable offset of a partition."""

    low: int
    end: int


class TopicReader(Protocol):
    """What audit needs of Kafka."""

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic, in order; none where the topic does not exist."""
        ...

    def topics(self) -> list[TopicName]:
        """Every topic that the user may see, sorted."""
        ...

    def bounds(self, place: Place) -> Bounds:
        """Low watermark and last stable offset."""
        ...

    def high(self, place: Place) -> int:
        """The end offset, open transactions included."""
        ...

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        ...

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        """The committed records with ``start <= offset < end``, in order."""
        ...

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        """Records from those offsets on, as they come, until ``stop`` says so."""
        ...


@dataclass(slots=True)
class KafkaTopicReader:
    """The real one; connections are kept until ``close``, because logging in is what takes time."""

    config: Mapping[str, Any] = field(repr=False)
    group: str
    """Only a name: the client library asks for one. It must lie under the user's own prefix."""
    timeout_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _askers: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _idle: list[Any] = field(default_factory=list, init=False, repr=False)

    def __enter__(self) -> "KafkaTopicReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        while self._askers:
            self._askers.popitem()[1].close()
        while self._idle:
            self._idle.pop().close()

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic, in order; none where the topic does not exist."""
        return [Place(topic, number) for number in self._metadata().get(topic, [])]

    def topics(self) -> list[TopicName]:
        """Every topic that the user may see, sorted."""
        return sorted(TopicName(name) for name in self._metadata() if not name.startswith("_"))

    def bounds(self, place: Place) -> Bounds:
        """Low watermark and last stable offset."""
        return self._watermarks(place, "read_committed")

    def high(self, place: Place) -> int:
        """The end offset, open transactions included."""
        return self._watermarks(place, "read_uncommitted").end

    def _watermarks(self, place: Place, isolation: str) -> Bounds:
        wanted = TopicPartition(place.topic, place.partition)
        asker = self._ask(isolation)
        low, end = _asked(place.topic, lambda: asker.get_watermark_offsets(wanted, timeout=self.timeout_s))
        return Bounds(low, end)

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        wanted = TopicPartition(place.topic, place.partition, timestamp_ms)
        found = _asked(place.topic, lambda: self._ask().offsets_for_times([wanted], timeout=self.timeout_s))
        offset = int(found[0].offset)
        return offset if offset >= 0 else self.bounds(place).end

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        """The committed records with ``start <= offset < end``, in order.

        Raises:
            KafkaUnavailable: nothing came for the time-out.
            ReadRefused: the user may not read the topic.
        """
        if start >= end:
            return
        with _Session(self) as consumer:
            consumer.assign([TopicPartition(place.topic, place.partition, start)])
            deadline = self.clock() + self.timeout_s
            while True:
                messages = _batch(consumer)
                for message in messages:
                    here = (message.topic(), message.partition()) == place
                    if _is_end(message):
                        if here and _offset(message) >= end:
                            return
                    elif _usable(message) and here:
                        if _offset(message) >= end:
                            return
                        yield _record(message)
                        if _offset(message) == end - 1:
                            return
                if messages:
                    deadline = self.clock() + self.timeout_s
                elif self.clock() > deadline:
                    # Who may not read simply gets nothing; the question for the end offset is answered.
                    self.bounds(place)
                    raise KafkaUnavailable(f"reading {place}: nothing came for {self.timeout_s:.0f} s")

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        """Records from those offsets on, as they come, until ``stop`` says so."""
        with _Session(self) as consumer:
            consumer.assign(
                [TopicPartition(place.topic, place.partition, start) for place, start in places.items()]
            )
            while not stop():
                for message in _batch(consumer):
                    if not _is_end(message) and _usable(message):
                        yield _record(message)

    def _ask(self, isolation: str = "read_committed") -> Any:
        if isolation not in self._askers:
            self._askers[isolation] = _consumer(self, isolation)
        return self._askers[isolation]

    def _metadata(self) -> dict[str, list[int]]:
        listed = _asked("the list of topics", lambda: self._ask().list_topics(timeout=self.timeout_s))
        return {
            name: sorted(entry.partitions) for name, entry in listed.topics.items() if entry.error is None
        }


class _Session:
    """A consumer that nobody else reads with meanwhile, kept for the next reading."""

    def __init__(self, reader: KafkaTopicReader) -> None:
        self._idle = reader._idle
        self._consumer = self._idle.pop() if self._idle else _consumer(reader)

    def __enter__(self) -> Any:
        return self._consumer

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None and issubclass(failed, Exception):
            self._consumer.close()
            return
        self._consumer.unassign()
        self._idle.append(self._consumer)


def _consumer(reader: KafkaTopicReader, isolation: str = "read_committed") -> Any:
    return Consumer(
        {
            **reader.config,
            "group.id": reader.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": isolation,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # The broker says sooner that the end is reached; most readings are short.
            "fetch.wait.max.ms": 20,
            "allow.auto.create.topics": False,
            "log_level": 0,
        }
    )


def _batch(consumer: Any) -> list[Message]:
    """What is there already, or else the first that comes: a batch of its own would wait until it is full."""
    ready: list[Message] = consumer.consume(BATCH, timeout=0)
    if ready:
        return ready
    first = consumer.poll(_POLL_SECONDS)
    return [] if first is None else [first]


def _asked(what: str, question: Callable[[], Any]) -> Any:
    try:
        return question()
    except KafkaException as error:
        _raise(error.args[0], what)


def _raise(error: KafkaError, what: str) -> Any:
    code = error.code()
    if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC):
        raise TopicMissing(f"{what}: {error.str()}")
    if code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._AUTHENTICATION):
        raise ReadRefused(f"{what}: {error.str()}")
    raise KafkaUnavailable(f"{what}: {error.str()}")


def _usable(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.code() not in _UNIMPORTANT:
        _raise(error, str(message.topic()))
    return False


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def _offset(message: Message) -> int:
    return int(message.offset() or 0)


def _record(message: Message) -> KafkaRecord:
    # librdkafka hands out a list of pairs; its stub also allows what only a producer may pass in.
    headers: Any = message.headers() or ()
    return KafkaRecord(
        topic=TopicName(str(message.topic())),
        partition=int(message.partition() or 0),
        offset=_offset(message),
        timestamp_ms=int(message.timestamp()[1]),
        key=message.key(),
        value=message.value(),
        headers=tuple((name, value if value is not None else b"") for name, value in headers),
    )
