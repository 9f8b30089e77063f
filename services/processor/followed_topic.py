"""A topic of one partition that every instance reads whole, from its first record on, and goes on reading."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from topics.event import TopicName

AT_ONCE: Final = 100


class FollowedTopic:
    """What of the topic has come and is not judged yet, and whether its end was reached."""

    def __init__(
        self, topic: TopicName, make_consumer: Callable[[], Consumer], at_once: int = AT_ONCE
    ) -> None:
        self._topic = topic
        self._make_consumer = make_consumer
        self._at_once = at_once
        self._consumer: Consumer | None = None
        self._end_seen = False
        self._next_offset = OFFSET_BEGINNING
        self.unread: deque[bytes] = deque()
        """Values in order; who judges one takes it out."""

    @property
    def caught_up(self) -> bool:
        """Whether every record up to the end was read and judged."""
        return self._end_seen and not self.unread

    def read_again(self) -> None:
        """Be caught up only when the end that the topic has from now on was read."""
        self._end_seen = False
        if self._consumer is not None:
            # Taking the place anew asks the broker anew, and only its answer tells of an end.
            self._consumer.assign([TopicPartition(self._topic, 0, self._next_offset)])

    async def poll(self) -> str | None:
        """Take what has arrived; what keeps the topic from being read, None where nothing does."""
        if self._consumer is None:
            self._consumer = await asyncio.to_thread(self._make_consumer)
            self._consumer.assign([TopicPartition(self._topic, 0, self._next_offset)])
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
