"""Kafka transactions in short slices: outputs and input offsets commit together, and the loop stays alive."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from services.processor.contract import InputPartition
from services.processor.errors import AbortTransaction, ExitCode, RecreateProducer, StopInstance
from topics.event import OutputRecord

_log = logging.getLogger(__name__)

SLICE_SECONDS: Final = 0.05
_YIELD_SECONDS: Final = 0.001
_PRODUCE_AT_ONCE: Final = 500

_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)


class Transactions:
    """One transactional producer, recreated with the same id whenever its state is in doubt.

    Every call that waits is made in slices of at most ``SLICE_SECONDS`` with the event loop in between.
    """

    def __init__(self, make_producer: Callable[[], Producer], patience_s: float) -> None:
        self._make_producer = make_producer
        self._patience_s = patience_s
        self._producer: Producer | None = None
        self.opened_at: float | None = None
        """Monotonic time at which the open transaction began; None while there is none."""

    @property
    def usable(self) -> bool:
        """Whether a producer is initialised."""
        return self._producer is not None

    async def open(self) -> None:
        """Make the producer and fence every older one with its id.

        Raises:
            RecreateProducer: Kafka does not answer in time; try again.
            StopInstance: this id is not ours to use.
        """
        self.close()
        producer = self._make_producer()
        await self._in_slices(producer.init_transactions)
        self._producer = producer

    def begin(self) -> None:
        """Begin a transaction.

        Raises:
            RecreateProducer: the producer is broken.
            StopInstance: fenced.
        """
        try:
            self._usable_producer().begin_transaction()
        except KafkaException as error:
            raise _what_to_do(error) from error
        self.opened_at = time.monotonic()

    async def produce(self, outputs: Iterable[OutputRecord]) -> None:
        """Queue the records; delivery errors surface at commit.

        Raises:
            AbortTransaction: a record was refused here (too large, unknown partition).
            RecreateProducer: the queue does not empty, or the producer is broken.
        """
        producer = self._usable_producer()
        for number, output in enumerate(outputs, start=1):
            while not self._queued(producer, output):
                await self._breathe()
            if number % _PRODUCE_AT_ONCE == 0:
                producer.poll(0)

    async def send_offsets(
        self, positions: Mapping[InputPartition, int], policy_version: int, group_metadata: Any
    ) -> None:
        """Add the next offsets to be read to the transaction, each with the policy version as metadata.

        Raises:
            AbortTransaction: the group has moved on (rebalance); the partitions may be another's.
            RecreateProducer: the outcome is unknown.
            StopInstance: fenced.
        """
        offsets = [
            TopicPartition(source.topic, source.partition, offset, metadata=str(policy_version))
            for source, offset in positions.items()
        ]
        if offsets:
            send = self._usable_producer().send_offsets_to_transaction
            await self._in_slices(lambda seconds: send(offsets, group_metadata, seconds))

    async def commit(self) -> None:
        """Commit what is open.

        Raises:
            AbortTransaction: a record could not be written.
            RecreateProducer: whether it is committed is unknown.
            StopInstance: fenced; nothing of it will ever be readable.
        """
        await self._in_slices(self._usable_producer().commit_transaction)
        self.opened_at = None

    async def abort(self) -> None:
        """Abort what is open.

        Raises:
            RecreateProducer: it could not be aborted; a new producer with the same id does it.
            StopInstance: fenced.
        """
        if self.opened_at is None:
            return
        try:
            await self._in_slices(self._usable_producer().abort_transaction)
        except AbortTransaction as error:
            raise RecreateProducer(f"the abort itself asks for an abort: {error}") from error
        self.opened_at = None

    def close(self) -> None:
        """Let the producer go without waiting; the coordinator aborts what it left open."""
        producer, self._producer, self.opened_at = self._producer, None, None
        if producer is not None:
            # Not polled: a producer with a fatal error raises it again there.
            producer.purge(in_queue=True, in_flight=True, blocking=False)

    def _usable_producer(self) -> Producer:
        if self._producer is None:
            raise RecreateProducer("there is no initialised producer")
        return self._producer

    def _queued(self, producer: Producer, output: OutputRecord) -> bool:
        try:
            producer.produce(
                output.topic,
                value=output.value,
                key=output.key,
                partition=output.partition,
                headers=list(output.headers) or None,
            )
        except BufferError:
            producer.poll(SLICE_SECONDS)
            return False
        except KafkaException as error:
            raise _what_to_do(error, otherwise=AbortTransaction) from error
        return True

    async def _breathe(self) -> None:
        if self.opened_at is not None and time.monotonic() - self.opened_at > self._patience_s:
            raise RecreateProducer("the producer's queue does not empty")
        await asyncio.sleep(_YIELD_SECONDS)

    async def _in_slices(self, call: Callable[[float], object]) -> None:
        deadline = time.monotonic() + self._patience_s
        while True:
            started = time.monotonic()
            try:
                call(SLICE_SECONDS)
            except KafkaException as error:
                if not _may_call_again(error):
                    raise _what_to_do(error) from error
                if time.monotonic() > deadline:
                    raise RecreateProducer(
                        f"no answer in {self._patience_s:.0f} s: {_text(error)}"
                    ) from error
            else:
                return
            # An error that came at once is not to be asked for in a tight loop.
            quick = time.monotonic() - started < SLICE_SECONDS / 2
            await asyncio.sleep(SLICE_SECONDS if quick else _YIELD_SECONDS)


def _may_call_again(error: KafkaException) -> bool:
    cause = error.args[0]
    return bool(cause.retriable()) and not cause.txn_requires_abort() and not cause.fatal()


def _what_to_do(
    error: KafkaException, otherwise: type[AbortTransaction] | type[RecreateProducer] = RecreateProducer
) -> Exception:
    """Name the error after what the caller must do."""
    cause = error.args[0]
    if cause.code() in _FENCED:
        return StopInstance(ExitCode.FENCED, f"fenced: {_text(error)}")
    if cause.fatal():
        return RecreateProducer(_text(error))
    if cause.txn_requires_abort():
        return AbortTransaction(_text(error))
    return otherwise(_text(error))


def _text(error: KafkaException) -> str:
    cause = error.args[0]
    return f"{cause.name()}: {cause.str()}"
