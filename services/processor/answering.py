"""Asks Kafka every few seconds for what the data path needs of it: an instance without work tells nothing.

librdkafka goes on by itself when a broker is gone, and tells nobody. So a client of its own fetches at the
end of what this instance reads: the leader's answer there is what the group's input waits for, too.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from services.processor.consumer import GroupInput
from services.processor.contract import InputPartition
from services.processor.health import Health
from topics.event import TopicName
from topics.names import POLICY

_PAUSE_SECONDS: Final = 2.0
_AT_ONCE: Final = 50
"""So many partitions a question; who owns more is asked about the next ones by the next question."""
_ANSWER_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.1
_ALWAYS: Final = InputPartition(POLICY, 0)
"""Read by every instance, whatever it owns."""


class Unanswered(Exception):  # noqa: N818 - the instance is not ready, and goes on asking
    """What Kafka was asked and did not answer; the message says why, as far as the client knows."""


class Ask(Protocol):
    """Fetches at the end of some partitions."""

    def __call__(self, sources: Sequence[InputPartition]) -> None:
        """Return when every one was answered.

        Raises:
            Unanswered: one was not.
        """
        ...


class FetchAtEnd:
    """Asks as ``Ask`` says; waits, so it is called in a thread."""

    def __init__(self, make_consumer: Callable[[], Consumer], seconds: float = _ANSWER_SECONDS) -> None:
        self._make_consumer = make_consumer
        self._seconds = seconds
        self._consumer: Consumer | None = None

    def __call__(self, sources: Sequence[InputPartition]) -> None:
        """See ``Ask``."""
        try:
            self._consumer = self._consumer or self._make_consumer()
            self._consumer.assign([TopicPartition(*source, OFFSET_END) for source in sources])
            self._until_answered(self._consumer, set(sources))
            self._consumer.unassign()
        except (KafkaException, Unanswered) as error:
            self.close()
            raise Unanswered(_why(error)) from error

    def close(self) -> None:
        """Let the client go; the next question makes another, which knows nothing of how it was before."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaException):
                consumer.close()

    def _until_answered(self, consumer: Consumer, open_questions: set[InputPartition]) -> None:
        deadline = time.monotonic() + self._seconds
        while open_questions:
            for message in consumer.consume(len(open_questions), _POLL_SECONDS):
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise Unanswered(f"{message.topic() or 'Kafka'}: {error.name()}")
                # A record is an answer as the end is.
                open_questions.discard(
                    InputPartition(TopicName(message.topic() or ""), int(message.partition() or 0))
                )
            if open_questions and time.monotonic() > deadline:
                raise Unanswered("{}:{} gives nothing".format(*min(open_questions)))


class Answering:
    """Keeps in ``Health`` when Kafka last answered, and tells the input which partitions give records."""

    def __init__(self, ask: Ask, health: Health) -> None:
        self._ask = ask
        self._health = health
        self._input: GroupInput | None = None
        self._turn = 0
        self._thread = ThreadPoolExecutor(1, "kafka-answers")
        """Of its own: where nothing answers, the others' threads are needed."""

    def watch(self, group_input: GroupInput) -> None:
        """Ask about what this input owns."""
        self._input = group_input

    async def run(self) -> None:
        """Ask until cancelled."""
        self._health.answered()
        while True:
            await self.step()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def step(self) -> None:
        """Ask once. What is not answered is asked again; what is, makes room for the next partitions."""
        sources = self._next()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, sources)
        except Unanswered as error:
            self._health.unanswered(str(error))
            return
        self._turn += 1
        self._health.answered()
        if self._input is not None:
            self._input.gave(sources)

    async def close(self) -> None:
        """Wait for nothing: the process ends."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> list[InputPartition]:
        owned = sorted(self._input.owned) if self._input is not None else []
        groups = [owned[first : first + _AT_ONCE] for first in range(0, len(owned), _AT_ONCE)] or [[]]
        return [_ALWAYS, *groups[self._turn % len(groups)]]


def _why(error: Exception) -> str:
    first: Any = error.args[0]
    return first.name() if isinstance(error, KafkaException) else str(first)
