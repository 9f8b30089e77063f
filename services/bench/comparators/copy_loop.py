"""Comparator (a): a copy loop in Python, exactly once, tuned, with no processing at all.

Run as ``python -m services.bench.comparators.copy_loop DESCRIPTION``; it ends on SIGTERM.
"""

import gc
import signal
import sys
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from services.bench.comparators.copies import Copies
from services.bench.comparators.settings import consumer_settings, producer_settings
from services.bench.comparators.work import read_description


class Loop:
    """One consumer, one transactional producer, one transaction per batch."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.stopped = False
        self._batch = description["batch_records"]
        self._ledger = description["ledger"]
        self._block = b"\0" * self._ledger["value_bytes"]
        self._copies = Copies(description)
        self._consumer = Consumer(consumer_settings(description))
        self._producer = Producer(producer_settings(description))

    def run(self) -> None:
        """Copy until told to stop."""
        self._consumer.subscribe(self._copies.inputs)
        self._producer.init_transactions()
        # What is alive now stays: nothing of it needs to be looked at again.
        gc.disable()
        gc.freeze()
        while not self.stopped:
            messages = self._consumer.consume(self._batch, 0.05)
            if messages:
                self._copy(messages)
        self._consumer.close()

    def _copy(self, messages: list[Any]) -> None:
        producer = self._producer
        producer.begin_transaction()
        positions: dict[tuple[str, int], int] = {}
        produce, of = producer.produce, self._copies.of
        for number, message in enumerate(messages):
            if message.error() is not None:
                continue
            topic, partition = message.topic(), message.partition()
            positions[topic, partition] = message.offset() + 1
            key, value = message.key(), message.value()
            for copy in of(topic):
                if copy.due():
                    produce(copy.topic, copy.value(value), copy.key(key, value), copy.partition(partition),
                            headers=copy.headers)  # fmt: skip
            if not number % 500:
                producer.poll(0)
        for topic, partition in positions:
            produce(self._ledger["topic"], self._block, f"{topic}|{partition}".encode(), 0)
        offsets = [TopicPartition(topic, part, offset) for (topic, part), offset in positions.items()]
        producer.send_offsets_to_transaction(offsets, self._consumer.consumer_group_metadata())
        producer.commit_transaction()


def main() -> None:
    """Run the loop."""
    loop = Loop(read_description(sys.argv[1]))

    def stop(_number: int, _frame: object) -> None:
        loop.stopped = True

    signal.signal(signal.SIGTERM, stop)
    loop.run()


if __name__ == "__main__":
    main()
