"""What the data path needs of a Kafka client, and how confluent-kafka gives it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from services.processor.contract import InputPartition
from services.processor.records import to_record
from topics.engine.lanes import Lane
from topics.engine.records import Records, by_partition
from topics.event import KafkaRecord, OutputRecord, TopicName

Positions = Mapping[InputPartition, int]
"""Per partition the offset below which records are passed over."""

_CONSUMED_AT_ONCE: Final = 250
_PRODUCED_AT_ONCE: Final = 500


class Sender(Protocol):
    """A transactional producer; errors are confluent-kafka's ``KafkaException``."""

    @property
    def name(self) -> str:
        """``native`` or ``confluent``."""
        ...

    def init_transactions(self, seconds: float) -> None:
        """Fence every older producer with this id; waits."""
        ...

    def begin_transaction(self) -> None:
        """Begin."""
        ...

    def write(self, lane: Lane, trace: bytes | None = None) -> Iterator[bool]:
        """Queue a lane, in pieces; yields after each whether it was taken (False: the queue is full).

        ``trace`` is the value of a header ``traceparent`` on every record.
        """
        ...

    def flush(self, seconds: float) -> None:
        """Until everything queued is written or has failed; waits. A failure shows in the calls after it."""
        ...

    def send_offsets_to_transaction(
        self, offsets: list[TopicPartition], group_metadata: Any, seconds: float
    ) -> None:
        """Add the next offsets to be read; waits."""
        ...

    def commit_transaction(self, seconds: float) -> None:
        """Commit; waits."""
        ...

    def abort_transaction(self, seconds: float) -> None:
        """Take everything back; waits."""
        ...

    def drain(self) -> None:
        """Take away what the client tells beside its answers; called while another thread waits."""
        ...


class Source(Protocol):
    """A member of the group; only ``committed`` and ``close`` wait. Rebalances come inside ``fetch``."""

    @property
    def name(self) -> str:
        """``native`` or ``confluent``."""
        ...

    @property
    def wake_fd(self) -> int | None:
        """A file that becomes readable when something comes to be fetched; None: look again and again."""
        ...

    def subscribe(self, topics: Sequence[TopicName], on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        """Join the group for these topics."""
        ...

    def unsubscribe(self) -> None:
        """Leave the group."""
        ...

    def incremental_assign(self, parts: list[TopicPartition]) -> None:
        """Take partitions that the group gave."""
        ...

    def consumer_group_metadata(self) -> Any:
        """Member and generation, for ``Sender.send_offsets_to_transaction``."""
        ...

    def pause(self, parts: list[TopicPartition]) -> None:
        """Deliver nothing of them."""
        ...

    def resume(self, parts: list[TopicPartition]) -> None:
        """Deliver them again."""
        ...

    def seek(self, part: TopicPartition) -> None:
        """Go on from its offset."""
        ...

    def committed(self, parts: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The stable committed offsets."""
        ...

    def end_of(self, part: TopicPartition) -> int:
        """The end of the partition as its last fetch told; below zero where none has."""
        ...

    def fetch(
        self, positions: Positions, max_records: int, max_bytes: int
    ) -> tuple[list[Records], list[Any]]:
        """What is here now, without waiting: records of the partitions in ``positions``, and errors.

        Records below the position are passed over; no batch is without records.
        """
        ...

    def close(self) -> None:
        """Leave the data path."""
        ...


class ConfluentSender:
    """confluent-kafka's producer: one call per record."""

    name = "confluent"

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self.init_transactions = producer.init_transactions
        self.begin_transaction = producer.begin_transaction
        self.send_offsets_to_transaction = producer.send_offsets_to_transaction
        self.commit_transaction = producer.commit_transaction
        self.abort_transaction = producer.abort_transaction

    def write(self, lane: Lane, trace: bytes | None = None) -> Iterator[bool]:
        """See ``Sender.write``."""
        more = [] if trace is None else [("traceparent", trace)]
        for number, record in enumerate(lane, start=1):
            while not self._queued(record, more):
                self._producer.poll(0)
                yield False
            if number % _PRODUCED_AT_ONCE == 0:
                self._producer.poll(0)
                yield True

    def flush(self, seconds: float) -> None:
        """See ``Sender.flush``."""
        if self._producer.flush(seconds):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "records are still queued"))

    def drain(self) -> None:
        """Its own calls do it."""

    def _queued(self, record: OutputRecord, more: list[tuple[str, bytes]]) -> bool:
        try:
            self._producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=[*record.headers, *more] or None,
            )
        except BufferError:
            return False
        return True


class ConfluentSource:
    """confluent-kafka's consumer: one object per record."""

    name = "confluent"
    wake_fd: int | None = None

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.subscribe = consumer.subscribe
        self.unsubscribe = consumer.unsubscribe
        self.incremental_assign = consumer.incremental_assign
        self.consumer_group_metadata = consumer.consumer_group_metadata
        self.pause = consumer.pause
        self.resume = consumer.resume
        self.seek = consumer.seek
        self.committed = consumer.committed
        self.close = consumer.close

    def end_of(self, part: TopicPartition) -> int:
        """See ``Source.end_of``."""
        bounds = self._consumer.get_watermark_offsets(part, cached=True)
        return -1 if bounds is None else int(bounds[1])

    def fetch(
        self, positions: Positions, max_records: int, max_bytes: int
    ) -> tuple[list[Records], list[Any]]:
        """See ``Source.fetch``."""
        records: list[KafkaRecord] = []
        errors: list[Any] = []
        size = fetched = 0
        while fetched < max_records and size < max_bytes:
            messages = self._consumer.consume(min(_CONSUMED_AT_ONCE, max_records - fetched), 0)
            fetched += len(messages)
            for message in messages:
                if message.error() is not None:
                    errors.append(message.error())
                    continue
                record = to_record(message)
                size += len(record.value or b"") + len(record.key or b"")
                if 0 <= positions.get(InputPartition(record.topic, record.partition), -1) <= record.offset:
                    records.append(record)
            if not messages:
                break
        return list(by_partition(records)), errors
