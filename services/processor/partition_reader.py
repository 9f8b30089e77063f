"""Reads a bounded piece of one partition, read committed, outside any group: state, catch-ups."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from services.processor.contract import InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.kafka_settings import groupless_consumer
from services.processor.records import to_record
from topics.event import KafkaRecord, TopicName

_AT_ONCE: Final = 1_000
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
        consumer = self._idle.pop() if self._idle else self._make(committed=True)
        try:
            await asyncio.to_thread(ask_about, consumer, source.topic, self.answer_s)
            consumer.assign([TopicPartition(source.topic, source.partition, from_offset)])
            found = await self._collect(consumer, source, to_offset)
            consumer.unassign()
        except Exception:
            # Not waited for: a broker that does not answer would be waited for.
            asyncio.get_running_loop().run_in_executor(None, consumer.close)
            raise
        self._idle.append(consumer)
        return found

    def _make(self, *, committed: bool) -> Consumer:
        return Consumer(groupless_consumer(self._kafka, self._group, committed=committed))

    async def _collect(self, consumer: Consumer, source: InputPartition, to_offset: int) -> list[KafkaRecord]:
        found: list[KafkaRecord] = []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            messages = consumer.consume(_AT_ONCE, 0)
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
                if reached >= to_offset:
                    return found
            await asyncio.sleep(0 if messages else 0.002)
        raise WaitAndRetry(f"{source.topic}:{source.partition} cannot be read up to offset {to_offset}")


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
