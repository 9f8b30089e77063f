"""Reads ranges of topics as a reader without a group: read_committed, to a known end, with a deadline."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn, Protocol

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from services.ledger.counts import Place
from topics.event import KafkaRecord, TopicName

BATCH: Final = 5_000
_POLL_SECONDS: Final = 0.5
# The client library leaves these two without types.
_EARLIEST: Final[OffsetSpec] = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_UNIMPORTANT: Final = frozenset(
    {
        # The group's name is only asked for by the client library; no group is ever joined.
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
    }
)
_OLD_EPOCH: Final = frozenset({KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH})


class KafkaUnavailable(Exception):  # noqa: N818 - the caller starts Kafka or waits
    """Kafka did not answer within the deadline; nothing can be said. Start it, or wait and try again."""


class _OldEpoch(KafkaUnavailable):
    """The client knows the leader of before a restart only."""


class ReadRefused(Exception):  # noqa: N818 - the caller needs another user
    """Kafka refuses to let this user read the topic."""


class TopicMissing(Exception):  # noqa: N818 - the caller names another topic
    """There is no such topic or partition, or none that this user may know of: Kafka hides those."""


class Bounds(NamedTuple):
    """A range of offsets, the end excluded; of a whole partition: first offset kept, last stable offset."""

    low: int
    end: int


class TopicReader(Protocol):
    """What audit needs of Kafka; questions about many partitions are asked at once."""

    def layout(self) -> dict[TopicName, list[Place]]:
        """Every topic that the user may see, sorted, with its partitions in order."""
        ...

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic, in order; none where the topic does not exist."""
        ...

    def topics(self) -> list[TopicName]:
        """Every topic that the user may see, sorted."""
        ...

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        """Low watermark and last stable offset of each."""
        ...

    def highs_of(self, places: Iterable[Place]) -> dict[Place, int]:
        """The end offset of each, open transactions included."""
        ...

    def offsets_at(self, places: Iterable[Place], timestamp_ms: int) -> dict[Place, int]:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        ...

    def bounds(self, place: Place) -> Bounds:
        """Low watermark and last stable offset."""
        ...

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        ...

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        """The committed records in the ranges: each partition in order, partitions as they come."""
        ...

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        """The committed records with ``start <= offset < end``, in order."""
        ...

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        """Records from those offsets on, as they come, until ``stop`` says so."""
        ...


def read_whole(reader: TopicReader, *topics: TopicName) -> Iterator[KafkaRecord]:
    """All committed records of the topics: each partition in order, partitions as they come."""
    layout = reader.layout()
    places = [place for topic in topics for place in layout.get(topic, [])]
    yield from reader.read_all(reader.bounds_of(places))


def in_order(records: Iterable[KafkaRecord]) -> list[KafkaRecord]:
    """The records by topic, partition and offset, so that an answer is the same each time."""
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


@dataclass(slots=True)
class KafkaTopicReader:
    """The real one; connections are kept until ``close``, because logging in is what takes time."""

    config: Mapping[str, Any] = field(repr=False)
    group: str
    """Only a name: the client library asks for one. It must lie under the user's own prefix."""
    timeout_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _admin: AdminClient | None = field(default=None, init=False, repr=False)
    _idle: list[Any] = field(default_factory=list, init=False, repr=False)

    def __enter__(self) -> "KafkaTopicReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._admin = None
        while self._idle:
            self._idle.pop().close()

    def layout(self) -> dict[TopicName, list[Place]]:
        """Every topic that the user may see, sorted, with its partitions in order."""
        listed = _asked("the list of topics", lambda: self._ask().list_topics(timeout=self.timeout_s))
        return {
            TopicName(name): [Place(TopicName(name), number) for number in sorted(entry.partitions)]
            for name, entry in sorted(listed.topics.items())
            if entry.error is None and not name.startswith("_")
        }

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic, in order; none where the topic does not exist."""
        return self.layout().get(topic, [])

    def topics(self) -> list[TopicName]:
        """Every topic that the user may see, sorted."""
        return list(self.layout())

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        """Low watermark and last stable offset of each."""
        places = list(places)
        low, end = self._offsets(places, _EARLIEST), self._offsets(places, _LATEST)
        return {place: Bounds(low[place], end[place]) for place in places}

    def highs_of(self, places: Iterable[Place]) -> dict[Place, int]:
        """The end offset of each, open transactions included."""
        return self._offsets(list(places), _LATEST, IsolationLevel.READ_UNCOMMITTED)

    def offsets_at(self, places: Iterable[Place], timestamp_ms: int) -> dict[Place, int]:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        places = list(places)
        found = self._offsets(places, OffsetSpec.for_timestamp(max(timestamp_ms, 0)))
        nothing = self.bounds_of(place for place, offset in found.items() if offset < 0)
        return {place: nothing[place].end if place in nothing else found[place] for place in places}

    def bounds(self, place: Place) -> Bounds:
        """Low watermark and last stable offset."""
        return self.bounds_of([place])[place]

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose timestamp is not before this one; the end offset where there is none."""
        return self.offsets_at([place], timestamp_ms)[place]

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        """The committed records with ``start <= offset < end``, in order; raises as ``read_all`` does."""
        yield from self.read_all({place: Bounds(start, end)})

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        """The committed records in the ranges: each partition in order, partitions as they come.

        One consumer for all of them: most of a short reading is waiting, which they do together.

        Raises:
            KafkaUnavailable: nothing came for the time-out.
            ReadRefused: the user may not read one of the topics.
        """
        left = {place: one.end for place, one in ranges.items() if one.low < one.end}
        if not left:
            return
        with _Session(self) as session:
            session.assign({place: ranges[place].low for place in left})
            deadline = self.clock() + self.timeout_s
            while left:
                messages = session.batch()
                yield from _taken(messages, left)
                if messages:
                    deadline = self.clock() + self.timeout_s
                elif self.clock() > deadline:
                    # Who may not read simply gets nothing; the question for the end offset is answered.
                    self.bounds_of(left)
                    waiting = ", ".join(map(str, left))
                    raise KafkaUnavailable(f"reading {waiting}: nothing came for {self.timeout_s:.0f} s")

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        """Records from those offsets on, as they come, until ``stop`` says so."""
        with _Session(self) as session:
            session.assign(places)
            while not stop():
                for message in session.batch():
                    if not _is_end(message) and _usable(message):
                        yield _record(message)

    def _ask(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({**self.config, "log_level": 0})
        return self._admin

    def _offsets(
        self,
        places: Sequence[Place],
        which: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[Place, int]:
        """One offset of each partition.

        A client from before the broker was killed asks with the old leader's epoch for ever; then a new one
        asks once more.
        """
        try:
            return self._listed(places, which, isolation)
        except _OldEpoch:
            self._admin = None
            return self._listed(places, which, isolation)

    def _listed(
        self, places: Sequence[Place], which: OffsetSpec, isolation: IsolationLevel
    ) -> dict[Place, int]:
        """All in one question."""
        wanted = {TopicPartition(*place): which for place in places}
        if not wanted:
            return {}
        asked = self._ask().list_offsets(wanted, isolation_level=isolation, request_timeout=self.timeout_s)
        futures = {Place(TopicName(one.topic), one.partition): future for one, future in asked.items()}
        return {place: self._offset(future, place) for place, future in futures.items()}

    def _offset(self, future: "Future[ListOffsetsResultInfo]", place: Place) -> int:
        try:
            return int(future.result().offset)
        except KafkaException as error:
            code = error.args[0].code()
            if code in _OLD_EPOCH:
                raise _OldEpoch(f"{place}: {error.args[0].str()}") from error
            if code == KafkaError._NOENT and place not in self.places(place.topic):
                raise TopicMissing(str(place)) from error
            _raise(error.args[0], str(place))


class _Session:
    """A consumer that nobody else reads with meanwhile, kept for the next reading."""

    def __init__(self, reader: KafkaTopicReader) -> None:
        self._reader = reader
        self._consumer = reader._idle.pop() if reader._idle else _consumer(reader)

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None and issubclass(failed, Exception):
            self._consumer.close()
            return
        self._consumer.unassign()
        self._reader._idle.append(self._consumer)

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Read from those offsets on.

        The library finds the leader of a topic that it meets for the first time by a timer of one second,
        unless it has been asked about the topics before.
        """
        _asked("the topics", lambda: self._consumer.list_topics(timeout=self._reader.timeout_s))
        self._consumer.assign([TopicPartition(*place, start) for place, start in starts.items()])

    def batch(self) -> list[Message]:
        """What is there, or else the first that comes: a batch of its own would wait until it is full."""
        ready: list[Message] = self._consumer.consume(BATCH, timeout=0)
        if ready:
            return ready
        first = self._consumer.poll(_POLL_SECONDS)
        return [] if first is None else [first]


def _consumer(reader: KafkaTopicReader) -> Any:
    return Consumer(
        {
            **reader.config,
            "group.id": reader.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # The broker says sooner that the end is reached; most readings are short.
            "fetch.wait.max.ms": 20,
            "allow.auto.create.topics": False,
            "log_level": 0,
        }
    )


def _taken(messages: Iterable[Message], left: dict[Place, int]) -> Iterator[KafkaRecord]:
    """The records before their partition's end; a partition that has reached it leaves ``left``."""
    for message in messages:
        at_end = _is_end(message)
        if not at_end and not _usable(message):
            continue
        place = Place(TopicName(str(message.topic())), int(message.partition() or 0))
        end = left.get(place)
        if end is None:
            continue
        next_offset = _offset(message) + (0 if at_end else 1)
        if next_offset >= end:
            del left[place]
        if not at_end and next_offset <= end:
            yield _record(message)


def _asked(what: str, question: Callable[[], Any]) -> Any:
    try:
        return question()
    except KafkaException as error:
        _raise(error.args[0], what)


def _raise(error: KafkaError, what: str) -> NoReturn:
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
