"""Kafka transactions: outputs and input offsets commit together, and the event loop stays alive meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from services.processor.applied import Applied
from services.processor.clients import Sender
from services.processor.contract import InputPartition
from services.processor.errors import (
    AbortTransaction,
    ExitCode,
    OutputRefused,
    RecreateProducer,
    StopInstance,
)
from topics.engine.lanes import Lane

_YIELD_SECONDS: Final = 0.001
_LOOK_SECONDS: Final = 0.02
"""How often the client is asked, while it waits, what else it has to tell."""
_LONGEST_TURN_SECONDS: Final = 0.02
"""How long records are queued before the event loop has its turn."""
_MOST_ABANDONED: Final = 32
GRACE_SECONDS: Final = 0.5
FIRST_PATIENCE_SECONDS: Final = 2.5
"""Most transactions end within a tenth of a second, on a busy machine within one."""

_TIMES_THE_LAST: Final = 3.0
"""A transaction that takes so much longer than the last one probably meets a fault."""

_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)

_REFUSED: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG_SIZE,
    }
)


class Transactions:
    """One transactional producer, recreated with the same id whenever its state is in doubt.

    Calls that wait for the coordinator run in one thread of their own while the event loop goes on. A commit
    is one call there, offsets included: it needs no turn of the loop, which may be deciding the next batch.
    They are made once, with all the patience there is: cut into short slices,
    ``send_offsets_to_transaction`` sends a new request per slice that a busy broker never answers in time,
    and ``commit_transaction`` called again while the end of the transaction is on its way fails with _STATE
    (both seen under load).

    Nor is librdkafka's own time limit relied upon: after its connections were cut,
    ``send_offsets_to_transaction`` was seen never to come back. Such a call is left behind with its thread.

    How long a transaction may take begins short, because after a fault nothing but a new producer helps. Each
    time that was too short doubles it, up to ``patience_s``, so that a slow cluster is not asked for ever
    anew. Each commit with input offsets halves it again, but never below a multiple of what that commit took;
    one without offsets, an acknowledgement, is small and says nothing of how long a batch takes.
    """

    def __init__(
        self, make_producer: Callable[[], Sender], patience_s: float, grace_s: float = GRACE_SECONDS
    ) -> None:
        self._make_producer = make_producer
        self._most_patience_s = patience_s
        self._patience_s = min(FIRST_PATIENCE_SECONDS, patience_s)
        self._grace_s = grace_s
        self._producer: Sender | None = None
        self._starting: Sender | None = None
        self._thread = _new_thread()
        self._waiting: Future[object] | None = None
        self._abandoned: list[Sender] = []
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
        producer = self._starting = self._starting or self._make_producer()
        try:
            await self._wait_for(producer, producer.init_transactions)
        except RecreateProducer as error:
            # One that is only late goes on in the background: beside a second one it would fence that.
            if not _may_be_resumed(error):
                self._starting = None
            raise
        self._producer, self._starting = producer, None

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

    async def write(self, portions: Sequence[Iterable[Lane]], trace: bytes | None = None) -> None:
        """Queue the records of each portion once Kafka has accepted those of the one before it.

        Raises:
            AbortTransaction, OutputRefused, RecreateProducer, StopInstance: as ``produce`` and ``flush``.
        """
        for number, lanes in enumerate(portions):
            if number:
                await self.flush()
            await self.produce(lanes, trace)

    async def produce(self, lanes: Iterable[Lane], trace: bytes | None = None) -> None:
        """Queue the records; delivery errors surface at commit. ``trace``: their header ``traceparent``.

        Raises:
            AbortTransaction: a record was refused here (unknown partition).
            OutputRefused: one is too large.
            RecreateProducer: the queue does not empty, or the producer is broken.
        """
        producer = self._usable_producer()
        turn_began = time.monotonic()
        for lane in lanes:
            pieces = producer.write(lane, trace)
            while (taken := _next_piece(pieces)) is not None:
                if not taken:
                    producer.drain()
                    await self._breathe()
                elif time.monotonic() - turn_began > _LONGEST_TURN_SECONDS:
                    await asyncio.sleep(0)
                    turn_began = time.monotonic()

    async def flush(self) -> None:
        """Wait until what is queued is written; a refusal is told now instead of at the commit.

        Raises:
            AbortTransaction, OutputRefused, RecreateProducer, StopInstance: as ``commit``.
        """
        producer = self._usable_producer()
        await self._wait_for(producer, producer.flush)
        try:
            # Refused in any case; where the transaction has to be aborted, with the reason for that.
            producer.begin_transaction()
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise _what_to_do(error) from error

    async def commit(
        self, positions: Mapping[InputPartition, int], applied: Applied, group_metadata: Any
    ) -> None:
        """Commit what is open with the next offsets to be read, each with what was applied as metadata.

        Raises:
            AbortTransaction: a record could not be written, or the group has moved on (rebalance) and the
                partitions may be another's.
            OutputRefused: the broker refuses a record for what it is.
            RecreateProducer: whether it is committed is unknown.
            StopInstance: fenced; nothing of it will ever be readable.
        """
        producer = self._usable_producer()
        offsets = [
            TopicPartition(source.topic, source.partition, offset, metadata=applied.text())
            for source, offset in positions.items()
        ]

        def finish(seconds: float) -> None:
            deadline = time.monotonic() + seconds
            if offsets:
                producer.send_offsets_to_transaction(offsets, group_metadata, seconds)
            producer.commit_transaction(max(0.0, deadline - time.monotonic()))

        await self._wait_for(producer, finish)
        if offsets and self.opened_at is not None:
            self._be_less_patient(time.monotonic() - self.opened_at)
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
            producer = self._usable_producer()
            await self._wait_for(producer, producer.abort_transaction)
        except AbortTransaction as error:
            raise RecreateProducer(f"the abort itself asks for an abort: {error}") from error
        self.opened_at = None

    def close(self) -> None:
        """Let the producer go without waiting; the coordinator aborts what it left open.

        Raises:
            StopInstance: too many producers had to be abandoned; a new process is cleaner.
        """
        if self._waiting is not None and not self._waiting.done():
            # The next producer must not wait behind a call that may never end; its init fences this one.
            self._thread.shutdown(wait=False)
            self._thread, self._waiting = _new_thread(), None
        in_doubt = self.opened_at is not None
        producer, self._producer, self.opened_at = self._producer, None, None
        if producer is None:
            return
        if in_doubt:
            self._patience_s = min(2 * self._patience_s, self._most_patience_s)
        # Neither purged nor destroyed: librdkafka asserts on either while a transaction's end is on its way.
        # The next init_transactions fences it.
        self._abandoned.append(producer)
        if len(self._abandoned) > _MOST_ABANDONED:
            why = f"{_MOST_ABANDONED} producers were abandoned in doubt and stay in memory: start it again"
            raise StopInstance(ExitCode.WORN, why)

    def _usable_producer(self) -> Sender:
        if self._producer is None:
            raise RecreateProducer("there is no initialised producer")
        return self._producer

    def _be_less_patient(self, took: float) -> None:
        enough = max(FIRST_PATIENCE_SECONDS, self._patience_s / 2, took * _TIMES_THE_LAST)
        self._patience_s = min(enough, self._most_patience_s)

    def _patience_left(self) -> float:
        """How long a call may take; all calls of one transaction share its time.

        Raises:
            RecreateProducer: it is used up. The coordinator may have aborted, and would call us fenced.
        """
        if self.opened_at is None:
            return self._patience_s
        left = self.opened_at + self._patience_s - time.monotonic()
        if left <= 0:
            raise RecreateProducer("the transaction has been open for too long")
        return left

    async def _breathe(self) -> None:
        if self.opened_at is not None and time.monotonic() - self.opened_at > self._patience_s:
            raise RecreateProducer("the producer's queue does not empty")
        await asyncio.sleep(_YIELD_SECONDS)

    async def _wait_for(self, producer: Sender, call: Callable[[float], object]) -> None:
        """Make one waiting call in the thread; a cancelled wait leaves the call to end by itself."""
        if self._waiting is not None and not self._waiting.done():
            raise RecreateProducer("an earlier call of the producer is still under way")
        patience = self._patience_left()
        self._waiting = self._thread.submit(call, patience)
        answer = asyncio.wrap_future(self._waiting)
        deadline = time.monotonic() + patience + self._grace_s
        while not answer.done() and time.monotonic() < deadline:
            await asyncio.wait([answer], timeout=_LOOK_SECONDS)
            producer.drain()
        if not answer.done():
            answer.cancel()
            raise RecreateProducer("a call of the producer did not come back in its own time limit")
        try:
            answer.result()
        except KafkaException as error:
            raise _what_to_do(error) from error


def _next_piece(pieces: Iterator[bool]) -> bool | None:
    """Whether the next piece was taken; None when there is none left."""
    try:
        return next(pieces, None)
    except KafkaException as error:
        raise _what_to_do(error, otherwise=AbortTransaction) from error


def _may_be_resumed(error: Exception) -> bool:
    cause = error.__cause__
    return isinstance(cause, KafkaException) and bool(cause.args[0].retriable())


def _new_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="transactions")


def _what_to_do(
    error: KafkaException, otherwise: type[AbortTransaction] | type[RecreateProducer] = RecreateProducer
) -> Exception:
    """Name the error after what the caller must do."""
    cause = error.args[0]
    if cause.code() in _FENCED:
        return StopInstance(ExitCode.FENCED, f"fenced: {_text(error)}")
    if cause.fatal():
        return RecreateProducer(_text(error))
    if cause.code() in _REFUSED:
        return OutputRefused(_text(error))
    if cause.txn_requires_abort():
        return AbortTransaction(_text(error))
    return otherwise(_text(error))


def _text(error: KafkaException) -> str:
    cause = error.args[0]
    return f"{cause.name()}: {cause.str()}"
