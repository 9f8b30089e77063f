"""A topic of one partition that every instance follows for itself: whole, or from near its end on."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from topics.event import TopicName

AT_ONCE: Final = 100
_FURTHER: Final = 4
"""Each further look goes so many times as far back."""
_ANSWER_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5
"""Before another client is made, where Kafka did not say where the topic ends."""


class FollowedTopic:
    """What of the topic has come and is not judged yet, and whether its end was reached.

    With ``look_back`` it begins so many offsets before the end; who finds too little looks further back.
    """

    def __init__(
        self,
        topic: TopicName,
        make_consumer: Callable[[], Consumer],
        at_once: int = AT_ONCE,
        look_back: int | None = None,
    ) -> None:
        self._topic = topic
        self._make_consumer = make_consumer
        self._at_once = at_once
        self._look_back = look_back
        self._bounds = (OFFSET_BEGINNING, OFFSET_BEGINNING)
        self._consumer: Consumer | None = None
        self._end_seen = False
        self._next_offset = OFFSET_BEGINNING
        self.whole = look_back is None
        """Whether reading began at the first record that the topic has."""
        self.unread: deque[bytes] = deque()
        """Values in order; who judges one takes it out."""

    @property
    def caught_up(self) -> bool:
        """Whether every record from where reading began up to the end was read and judged."""
        return self._end_seen and not self.unread

    def read_again(self) -> None:
        """Be caught up only when the end that the topic has from now on was read."""
        self._end_seen = False
        if self._consumer is not None:
            # Taking the place anew asks the broker anew, and only its answer tells of an end.
            self._consumer.assign([TopicPartition(self._topic, 0, self._next_offset)])

    def look_further_back(self) -> None:
        """Forget what was read and begin again, further from the end."""
        if self._consumer is not None and self._look_back is not None:
            self._look_back *= _FURTHER
            self.unread.clear()
            self._begin_at(self._consumer, self._look_back)

    async def poll(self) -> str | None:
        """Take what has arrived; what keeps the topic from being read, None where nothing does."""
        if self._consumer is None:
            try:
                consumer, self._bounds = await asyncio.to_thread(self._open)
            except KafkaException as refused:
                await asyncio.sleep(_PAUSE_SECONDS)
                return f"topic {self._topic}: {refused.args[0].name()}"
            self._begin_at(consumer, self._look_back)
            self._consumer = consumer
        problem: str | None = None
        for message in self._consumer.consume(self._at_once, 0):
            error = message.error()
            if error is None:
                self.unread.append(message.value() or b"")
                self._next_offset = int(message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._end_seen = True
            elif not self.caught_up:
                problem = f"topic {self._topic}: {error.name()}"
        return problem

    async def close(self) -> None:
        """Let the consumer go."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await asyncio.to_thread(consumer.close)

    def _open(self) -> tuple[Consumer, tuple[int, int]]:
        """A consumer, and where the topic begins and ends now; waits for Kafka."""
        consumer = self._make_consumer()
        if self._look_back is None:
            return consumer, self._bounds
        try:
            part = TopicPartition(self._topic, 0)
            first, end = consumer.get_watermark_offsets(part, timeout=_ANSWER_SECONDS, cached=False)
        except KafkaException:
            consumer.close()
            raise
        return consumer, (first, end)

    def _begin_at(self, consumer: Consumer, look_back: int | None) -> None:
        if look_back is not None:
            first, end = self._bounds
            self._next_offset = max(first, end - look_back)
            self.whole = self._next_offset == first
        self._end_seen = False
        consumer.assign([TopicPartition(self._topic, 0, self._next_offset)])
