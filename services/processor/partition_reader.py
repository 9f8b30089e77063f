"""Reads a bounded piece of one partition, read committed, outside any group: state, catch-ups."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from services.processor.contract import InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.kafka_settings import groupless_consumer
from services.processor.records import to_record
from topics.event import KafkaRecord, TopicName

_AT_ONCE: Final = 1_000
_AT_ONCE_OF_A_SLICE: Final = 100
"""By so many records at the most a slice may be larger than its bytes allow."""
_PATIENCE_SECONDS: Final = 12.0
"""Without anything new, and longer than a transaction may stay open: a long partition may take longer."""
_ANSWER_SECONDS: Final = 5.0


class PartitionReader:
    """Its consumers are kept, because logging in is what takes time; after a failure another one is made.

    The calls that wait for Kafka run beside the event loop.
    """

    def __init__(self, kafka: Mapping[str, Any], group: str) -> None:
        self._kafka = kafka
        self._group = group
        self.answer_s = _ANSWER_SECONDS
        self._asking: Consumer | None = None
        self._idle: list[Consumer] = []
        self._standing: tuple[InputPartition, int, Consumer] | None = None
        """Where the last slice ended and its consumer goes on, with what it has fetched already."""

    async def bounds(self, source: InputPartition) -> tuple[int, int]:
        """First offset and end offset (the high watermark, open transactions included).

        Raises:
            WaitAndRetry: Kafka does not say.
        """
        consumer = self._asking = self._asking or self._make(committed=False)
        try:
            return await asyncio.to_thread(_bounds, consumer, source, self.answer_s)
        except WaitAndRetry:
            # One that knew the broker before a restart may go on asking with the old leader's epoch.
            self._asking = None
            raise

    async def read_to_end(self, source: InputPartition) -> list[KafkaRecord]:
        """Everything up to the end offset taken now; waits until open transactions before it are decided.

        Raises:
            WaitAndRetry: it could not be read in time.
        """
        low, high = await self.bounds(source)
        return await self.read(source, low, high)

    async def read(self, source: InputPartition, from_offset: int, to_offset: int) -> list[KafkaRecord]:
        """The records in ``[from_offset, to_offset)``; compacted or aborted ones are absent.

        Raises:
            WaitAndRetry: it could not be read in time.
            StopInstance: the log no longer begins at or before ``from_offset``.
        """
        if from_offset >= to_offset:
            return []
        consumer = self._idle_one()
        with _closed_if_it_fails(consumer):
            await self._place(consumer, source, from_offset)
            found, _ = await self._collect(consumer, source, to_offset)
            consumer.unassign()
        self._idle.append(consumer)
        return found

    async def read_some(
        self, source: InputPartition, from_offset: int, to_offset: int, most_records: int, most_bytes: int
    ) -> tuple[list[KafkaRecord], int]:
        """The first records of ``[from_offset, to_offset)``, and the offset before which there are no others.

        Whoever asks from that offset on next is answered without a new fetch. ``most_bytes`` holds nearly.

        Raises:
            WaitAndRetry, StopInstance: as ``read``.
        """
        standing, self._standing = self._standing, None
        consumer = self._idle_one() if standing is None else standing[2]
        with _closed_if_it_fails(consumer):
            if standing is None or standing[:2] != (source, from_offset):
                await self._place(consumer, source, from_offset)
            found, reached = await self._collect(consumer, source, to_offset, most_records, most_bytes)
            if reached >= to_offset:
                consumer.unassign()
        if reached < to_offset:
            self._standing = (source, reached, consumer)
        else:
            self._idle.append(consumer)
        return found, reached

    def _idle_one(self) -> Consumer:
        return self._idle.pop() if self._idle else self._make(committed=True)

    async def _place(self, consumer: Consumer, source: InputPartition, offset: int) -> None:
        await asyncio.to_thread(ask_about, consumer, source.topic, self.answer_s)
        consumer.assign([TopicPartition(source.topic, source.partition, offset)])

    def _make(self, *, committed: bool) -> Consumer:
        return Consumer(groupless_consumer(self._kafka, self._group, committed=committed))

    async def _collect(
        self,
        consumer: Consumer,
        source: InputPartition,
        to_offset: int,
        most_records: int | None = None,
        most_bytes: int = 0,
    ) -> tuple[list[KafkaRecord], int]:
        """All of it, or up to so much; and the offset before which there is no more."""
        found: list[KafkaRecord] = []
        size = 0
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if most_records is not None and found and (len(found) >= most_records or size >= most_bytes):
                return found, found[-1].offset + 1
            messages = consumer.consume(_at_once(most_records, len(found)), 0)
            if messages:
                deadline = time.monotonic() + _PATIENCE_SECONDS
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise _what_to_do(error, source)
                if (message.topic(), message.partition()) != source:
                    # Of what this consumer read before.
                    continue
                reached = int(message.offset() or 0) + (error is None)
                if error is None and reached <= to_offset:
                    found.append(to_record(message))
                    size += _bytes_of(found[-1])
                if reached >= to_offset:
                    return found, to_offset
            await asyncio.sleep(0 if messages else 0.002)
        raise WaitAndRetry(f"{source.topic}:{source.partition} cannot be read up to offset {to_offset}")


@contextmanager
def _closed_if_it_fails(consumer: Consumer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Not waited for: a broker that does not answer would be waited for.
        asyncio.get_running_loop().run_in_executor(None, consumer.close)
        raise


def _at_once(most_records: int | None, found: int) -> int:
    return _AT_ONCE if most_records is None else min(_AT_ONCE_OF_A_SLICE, most_records - found)


def _bytes_of(record: KafkaRecord) -> int:
    return len(record.key or b"") + len(record.value or b"")


def _bounds(consumer: Consumer, source: InputPartition, seconds: float) -> tuple[int, int]:
    part = TopicPartition(source.topic, source.partition)
    try:
        low, high = consumer.get_watermark_offsets(part, timeout=seconds, cached=False)
    except KafkaException as error:
        raise WaitAndRetry(f"{source.topic}:{source.partition}: {error.args[0].name()}") from error
    return low, high


def ask_about(consumer: Consumer, topic: TopicName, seconds: float = _ANSWER_SECONDS) -> None:
    """Let a new consumer know the topic: one that it is assigned first, it looks for by a timer of a second.

    Raises:
        WaitAndRetry: Kafka does not answer.
    """
    try:
        consumer.list_topics(topic, timeout=seconds)
    except KafkaException as error:
        raise WaitAndRetry(f"{topic}: {error.args[0].name()}") from error


def _what_to_do(error: Any, source: InputPartition) -> Exception:
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        return StopInstance(ExitCode.POSITION_LOST, f"{source.topic}:{source.partition}: {error.str()}")
    return WaitAndRetry(f"{source.topic}:{source.partition}: {error.name()}")
