"""What the bench does with topics itself: fill the inputs, empty the outputs, look at what was written."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from topics.event import Headers, KafkaRecord, OutputRecord, TopicName

_TIMEOUT_S: Final = 30.0
_GROUP: Final = "bench.observer"
#: What has been read is deleted between two runs, which Kafka refuses on topics that are only compacted.
CLEARED: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact,delete",
    "retention.ms": "-1",
    "min.compaction.lag.ms": "604800000",
    "file.delete.delay.ms": "1000",
    "max.message.bytes": "8000000",
}


class TopicsIo:
    """The bench's own access, as the super user."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        self.kafka = dict(kafka)
        self.admin = AdminClient(self.kafka)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(self.admin.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions)

    def make(self, topics: Mapping[str, int]) -> None:
        """Create topics that can be cleared; those that exist stay."""
        known = self.admin.list_topics(timeout=_TIMEOUT_S).topics
        fresh = [
            NewTopic(name, partitions, 1, config=dict(CLEARED))
            for name, partitions in topics.items()
            if name not in known
        ]
        if fresh:
            for answer in self.admin.create_topics(fresh, request_timeout=_TIMEOUT_S).values():
                answer.result()

    def make_clearable(self, topics: Iterable[str]) -> None:
        """Set the topics of the bus so that they can be cleared."""
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in CLEARED.items()
        ]
        wanted = [
            ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries) for topic in topics
        ]
        if wanted:
            for answer in self.admin.incremental_alter_configs(wanted, request_timeout=_TIMEOUT_S).values():
                answer.result()

    def bounds(self, topics: Iterable[str]) -> dict[TopicPartition, tuple[int, int]]:
        """First offset and end of each partition."""
        consumer = self._consumer()
        found = {}
        for topic in topics:
            for partition in range(self.partitions(topic)):
                place = TopicPartition(topic, partition)
                found[place] = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        consumer.close()
        return found

    def clear(self, topics: Iterable[str]) -> None:
        """Delete all that the topics hold."""
        ends = [
            TopicPartition(place.topic, place.partition, high)
            for place, (low, high) in self.bounds(topics).items()
            if high > low
        ]
        if ends:
            for answer in self.admin.delete_records(ends, request_timeout=_TIMEOUT_S).values():
                answer.result()

    def fill(self, records: Iterable[OutputRecord]) -> int:
        """Write records and wait until all are acknowledged; return how many."""
        settings = {"compression.type": "lz4", "linger.ms": 20, "enable.idempotence": True}
        settings |= {"queue.buffering.max.messages": 1_000_000, "batch.size": 1_000_000}
        settings |= {"delivery.report.only.error": True}
        failed: list[Any] = []
        producer = Producer({**self.kafka, **settings, "error_cb": failed.append})
        count = 0
        for record in records:
            self._queue(producer, record)
            count += 1
        if producer.flush(120):
            raise KafkaException(failed[-1] if failed else None)
        return count

    @staticmethod
    def _queue(producer: Producer, record: OutputRecord) -> None:
        while True:
            try:
                producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers) or None,
                )
            except BufferError:
                producer.poll(0.1)
            else:
                return

    def sample(self, topic: str, most: int, wait_s: float = 10.0) -> list[KafkaRecord]:
        """The first committed records of every partition of a topic, up to so many of each."""
        places = {place: bounds for place, bounds in self.bounds([topic]).items() if bounds[1] > bounds[0]}
        if not places:
            return []
        consumer = self._consumer()
        consumer.assign(
            [TopicPartition(place.topic, place.partition, low) for place, (low, _) in places.items()]
        )
        found: dict[int, list[KafkaRecord]] = {place.partition: [] for place in places}
        unread = set(found)
        deadline = time.monotonic() + wait_s
        while unread and time.monotonic() < deadline:
            for message in consumer.consume(500, 0.5):
                partition = message.partition() or 0
                if message.error() is None and len(found[partition]) < most:
                    found[partition].append(_record(message))
                else:
                    unread.discard(partition)
        consumer.close()
        return [record for records in found.values() for record in records]

    def ends(self, topic: str) -> list[TopicPartition]:
        """Where each partition ends now."""
        return [
            TopicPartition(place.topic, place.partition, high)
            for place, (_, high) in self.bounds([topic]).items()
        ]

    def read_from(self, positions: list[TopicPartition], wait_s: float = 60.0) -> Iterator[KafkaRecord]:
        """Every committed record from these positions to the end."""
        consumer = self._consumer()
        consumer.assign(positions)
        unread = {place.partition for place in positions}
        deadline = time.monotonic() + wait_s
        while unread and time.monotonic() < deadline:
            for message in consumer.consume(1_000, 0.5):
                if message.error() is None:
                    yield _record(message)
                else:
                    unread.discard(message.partition() or 0)
        consumer.close()

    def reset_group(
        self, group: str, positions: Mapping[TopicPartition, int], patience_s: float = 30
    ) -> None:
        """Put an empty group back to these positions; waits until its last member's session is over."""
        wanted = [TopicPartition(p.topic, p.partition, offset) for p, offset in positions.items()]
        deadline = time.monotonic() + patience_s
        while True:
            request = [ConsumerGroupTopicPartitions(group, wanted)]
            answers = self.admin.alter_consumer_group_offsets(request, request_timeout=_TIMEOUT_S)
            try:
                found = answers[group].result()
            except KafkaException:
                found = None
            if found is not None and all(part.error is None for part in found.topic_partitions):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"group {group} still has members after {patience_s:.0f} s")
            time.sleep(0.2)

    def _consumer(self) -> Consumer:
        settings = {
            "group.id": _GROUP,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
        return Consumer({**self.kafka, **settings})


def _record(message: Any) -> KafkaRecord:
    headers: Headers = tuple((name, value or b"") for name, value in message.headers() or ())
    return KafkaRecord(
        TopicName(message.topic()),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,
    )


def mean_size(values: Sequence[bytes | None]) -> int:
    """Mean length, rounded."""
    return round(sum(len(value or b"") for value in values) / len(values)) if values else 0
