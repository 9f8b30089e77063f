"""Reads a bounded piece of one partition, read committed, outside any group: state, catch-ups."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from services.processor.contract import InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.kafka_settings import groupless_consumer
from services.processor.records import to_record
from topics.event import KafkaRecord, TopicName

_AT_ONCE: Final = 1_000
"""Messages of one turn of the loop, a few milliseconds."""
_AT_ONCE_OF_A_SLICE: Final = 100
"""By so many records at the most a slice may be larger than its bytes allow."""
_TOGETHER: Final = 4
"""Partitions that are read at the same time: each has a client, with some megabytes fetched ahead."""
_PATIENCE_SECONDS: Final = 12.0
"""Without anything new, and longer than a transaction may stay open: a long partition may take longer."""
_ANSWER_SECONDS: Final = 5.0
_NOTHING_SECONDS: Final = 0.002


class PartitionReader:
    """Its consumers are kept, because logging in is what takes time; after a failure another one is made.

    The calls that wait for Kafka run beside the event loop. What has come is looked at in it, a few messages
    a turn, however many partitions are read at the same time.
    """

    def __init__(
        self,
        kafka: Mapping[str, Any],
        group: str,
        *,
        make: Callable[[dict[str, Any]], Any] = Consumer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka, self._group, self._new, self._clock = kafka, group, make, clock
        self.answer_s = _ANSWER_SECONDS
        self._asking: Any = None
        self._idle: list[Any] = []
        self._standing: tuple[InputPartition, int, Any] | None = None
        """Where the last slice ended and its consumer goes on, with what it has fetched already."""
        self._few = asyncio.Semaphore(_TOGETHER)
        self._one_a_turn = asyncio.Lock()

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

    async def last_values(self, source: InputPartition) -> dict[bytes, bytes]:
        """The last value of each key up to the end offset taken now; a key whose last value is null has none.

        Waits until open transactions before that offset are decided. Nothing but these bytes is held.

        Raises:
            WaitAndRetry: it could not be read in time.
            StopInstance: the log no longer begins where Kafka said.
        """
        low, high = await self.bounds(source)
        found: dict[bytes, bytes] = {}
        if low >= high:
            return found
        async with self._few:
            consumer = self._idle_one()
            with _closed_if_it_fails(consumer):
                await self._place(consumer, source, low)
                async with aclosing(self._come(consumer, source, high, lambda: _AT_ONCE)) as coming:
                    async for messages, _ in coming:
                        _keep_last(found, messages)
                consumer.unassign()
            self._idle.append(consumer)
        return found

    async def read_some(
        self, source: InputPartition, from_offset: int, to_offset: int, most_records: int, most_bytes: int
    ) -> tuple[list[KafkaRecord], int]:
        """The first records of ``[from_offset, to_offset)``, and the offset before which there are no others.

        Compacted or aborted ones are absent. Whoever asks from that offset on next is answered without a new
        fetch. ``most_bytes`` holds nearly.

        Raises:
            WaitAndRetry: it could not be read in time.
            StopInstance: the log no longer begins at or before ``from_offset``.
        """
        standing, self._standing = self._standing, None
        consumer = self._idle_one() if standing is None else standing[2]
        with _closed_if_it_fails(consumer):
            if standing is None or standing[:2] != (source, from_offset):
                await self._place(consumer, source, from_offset)
            found, reached = await self._slice(consumer, source, to_offset, most_records, most_bytes)
            if reached >= to_offset:
                consumer.unassign()
        if reached < to_offset:
            self._standing = (source, reached, consumer)
        else:
            self._idle.append(consumer)
        return found, reached

    def _idle_one(self) -> Any:
        return self._idle.pop() if self._idle else self._make(committed=True)

    async def _place(self, consumer: Any, source: InputPartition, offset: int) -> None:
        await asyncio.to_thread(ask_about, consumer, source.topic, self.answer_s)
        consumer.assign([TopicPartition(source.topic, source.partition, offset)])

    def _make(self, *, committed: bool) -> Any:
        return self._new(groupless_consumer(self._kafka, self._group, committed=committed))

    async def _slice(
        self, consumer: Any, source: InputPartition, to_offset: int, most_records: int, most_bytes: int
    ) -> tuple[list[KafkaRecord], int]:
        found: list[KafkaRecord] = []
        size = 0
        at_once = lambda: min(_AT_ONCE_OF_A_SLICE, most_records - len(found))  # noqa: E731
        async with aclosing(self._come(consumer, source, to_offset, at_once)) as coming:
            async for messages, reached in coming:
                found += map(to_record, messages)
                size += sum(len(message.key() or b"") + len(message.value() or b"") for message in messages)
                if reached >= to_offset:
                    break
                if found and (len(found) >= most_records or size >= most_bytes):
                    return found, found[-1].offset + 1
        return found, to_offset

    async def _come(
        self, consumer: Any, source: InputPartition, to_offset: int, at_once: Callable[[], int]
    ) -> AsyncGenerator[tuple[list[Any], int], None]:
        """The messages before that offset as they come, and how far they reach; one call a turn of the loop.

        Raises:
            WaitAndRetry: nothing came in time.
        """
        deadline, reached = self._clock() + _PATIENCE_SECONDS, -1
        while reached < to_offset:
            async with self._one_a_turn:
                messages = consumer.consume(at_once(), 0)
                if messages:
                    deadline = self._clock() + _PATIENCE_SECONDS
                    due, reached = _before(messages, source, to_offset)
                    yield due, reached
                    # Others that are being read wait until everybody else has had the loop.
                    await asyncio.sleep(0)
            if not messages:
                if self._clock() >= deadline:
                    what = f"{source.topic}:{source.partition}"
                    raise WaitAndRetry(f"{what} cannot be read up to offset {to_offset}")
                await asyncio.sleep(_NOTHING_SECONDS)


def _before(messages: Iterable[Any], source: InputPartition, to_offset: int) -> tuple[list[Any], int]:
    """Those of the partition that come before the offset, and the offset before which there are no others."""
    due, reached = [], -1
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise _what_to_do(error, source)
        if (message.topic(), message.partition()) != source:
            # Of what this consumer read before.
            continue
        reached = int(message.offset() or 0) + (error is None)
        if error is None and reached <= to_offset:
            due.append(message)
        if reached >= to_offset:
            return due, to_offset
    return due, reached


def _keep_last(found: dict[bytes, bytes], messages: Iterable[Any]) -> None:
    for message in messages:
        key, value = message.key(), message.value()
        if key is None:
            continue
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value


@contextmanager
def _closed_if_it_fails(consumer: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Not waited for: a broker that does not answer would be waited for.
        asyncio.get_running_loop().run_in_executor(None, consumer.close)
        raise


def _bounds(consumer: Any, source: InputPartition, seconds: float) -> tuple[int, int]:
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
