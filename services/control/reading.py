"""Reads a topic whole: from its beginning to the offsets that were its stable end when reading began."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from topics.event import KafkaRecord, TopicName

_TIMEOUT_S: Final = 30.0
_SLICE_S: Final = 0.05


class TopicUnreadable(Exception):  # noqa: N818 - says what is broken
    """The end of a topic was not reached in time; the broker is not well. Run apply again."""


def whole_reader(kafka_config: Mapping[str, Any], group: str) -> Consumer:
    """A consumer that assigns itself partitions; close it afterwards."""
    return Consumer(
        {
            **kafka_config,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
        }
    )


def read_whole(
    consumer: Consumer,
    topic: str,
    ends: Mapping[int, int],
    batch: int,
    starts: Mapping[int, int] | None = None,
) -> Iterator[list[KafkaRecord]]:
    """Batches of the topic's committed records below ``ends``, each partition in offset order.

    ``starts`` says where to begin: at the first record where it says nothing.

    Raises:
        TopicUnreadable: nothing came for a while though the end is not reached.
        KafkaException: the broker refused.
    """
    begins = {partition: (starts or {}).get(partition, 0) for partition in ends}
    open_partitions = {partition for partition, end in ends.items() if end > begins[partition]}
    # 0 and not the symbolic beginning: what retention removed is answered with the first that is left.
    consumer.assign([TopicPartition(topic, number, begins[number]) for number in sorted(open_partitions)])
    deadline = time.monotonic() + _TIMEOUT_S
    while open_partitions:
        # It waits for a full batch: at the end of a topic that is the whole time given.
        messages: list[Any] = consumer.consume(batch, _SLICE_S)
        if not messages and time.monotonic() > deadline:
            raise TopicUnreadable(f"{topic}: no answer within {_TIMEOUT_S:.0f} s")
        if messages:
            deadline = time.monotonic() + _TIMEOUT_S
        records = []
        for message in messages:
            partition = int(message.partition())
            if _reached_end(message, ends[partition]):
                open_partitions.discard(partition)
            if message.error() is None and message.offset() < ends[partition]:
                records.append(_record(message))
        if records:
            yield records


def _reached_end(message: Any, end: int) -> bool:
    """A control record may be the last one: then the end of the partition says so, not a record."""
    error = message.error()
    if error is None:
        return bool(message.offset() >= end - 1)
    if error.code() == KafkaError._PARTITION_EOF:
        return bool(message.offset() >= end)
    if error.retriable():
        return False
    raise KafkaException(error)


def _record(message: Any) -> KafkaRecord:
    headers = message.headers() or []
    return KafkaRecord(
        TopicName(message.topic()),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple((name, value or b"") for name, value in headers),
    )
