"""The departments of the demo as they read: own credentials, own topic, our SDK's decoding."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.decoding import Decoder
from consumers.settings import SubscriberSettings, from_credentials_file
from schemas.registry import SchemaRegistry
from topics.delivery import Delivery, milliseconds, read_delivery

_POLL_SECONDS: Final = 0.2
_TIMEOUT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record as it arrived at a department; ``readable_ms`` is this machine's clock when it was read."""

    consumer: str
    topic: str
    key: Mapping[str, Any]
    value: Mapping[str, Any] | None
    delivery: Delivery
    readable_ms: float

    @property
    def latency_ms(self) -> float:
        """From the source's commit timestamp to being readable here."""
        return self.readable_ms - milliseconds(self.delivery.ce_time)


class DepartmentReader:
    """Reads one grant topic in a thread of its own, so that each arrival is timed when it is readable."""

    def __init__(self, consumer: str, topic: str, client: Consumer, decoder: Decoder) -> None:
        self.consumer = consumer
        self.topic = topic
        self._client = client
        self._decoder = decoder
        self._read: SimpleQueue[tuple[Message, float]] = SimpleQueue()
        self._stop = threading.Event()
        self._failure: KafkaError | None = None
        self._thread = threading.Thread(target=self._loop, name=f"reads {topic}", daemon=True)
        self._thread.start()

    def poll(self) -> list[Arrival]:
        """What arrived since the last call; returns at once.

        Raises:
            KafkaException: reading failed.
        """
        if self._failure is not None:
            raise KafkaException(self._failure)
        found = []
        with suppress(Empty):
            while True:
                found.append(self._arrival(*self._read.get_nowait()))
        return found

    def close(self) -> None:
        """End the session."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _loop(self) -> None:
        while not self._stop.is_set():
            message = self._client.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is not None:
                self._failure = error
                return
            self._read.put((message, time.time_ns() / 1e6))

    def _arrival(self, message: Message, readable_ms: float) -> Arrival:
        key, value = message.key(), message.value()
        headers = tuple((name, _bytes(content)) for name, content in _pairs(message.headers()))
        return Arrival(
            self.consumer,
            self.topic,
            self._decoder.decode(_bytes(key)),
            None if value is None else self._decoder.decode(_bytes(value)),
            read_delivery(headers),
            readable_ms,
        )


def reader_from_credentials(path: Path, topic: str) -> DepartmentReader:
    """A reader that starts at the end of the topic, with a department's own credentials file."""
    settings = from_credentials_file(path, topic=topic)
    client = Consumer(_client(settings))
    partitions = client.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
    ends = []
    for partition in partitions:
        _low, high = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_SECONDS)
        ends.append(TopicPartition(topic, partition, high))
    client.assign(ends)
    decoder = Decoder(SchemaRegistry(settings.registry))
    return DepartmentReader(settings.consumer, topic, client, decoder)


def try_to_read(path: Path, topic: str) -> str:
    """What the broker answers a department that has no grant: its error, or ``read`` if it could read."""
    settings = from_credentials_file(path, topic=topic)
    # In a group of its own, or the broker would refuse the group and say nothing of the topic.
    group = f"{settings.username.removeprefix('consumer-')}.demo"
    client = Consumer({**_client(settings), "group.id": group})
    try:
        client.subscribe([topic])
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            message = client.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            return "read" if error is None else str(error.name())
        return "no answer"
    finally:
        client.close()


def _pairs(headers: Any) -> list[tuple[str, bytes | str | None]]:
    return list(headers.items()) if isinstance(headers, dict) else list(headers or ())


def _bytes(content: str | bytes | None) -> bytes:
    if isinstance(content, str):
        return content.encode()
    return content or b""


def _client(settings: SubscriberSettings) -> dict[str, Any]:
    return {
        **settings.client(),
        "group.id": settings.group_id,
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "fetch.wait.max.ms": 20,
        "auto.offset.reset": "error",
    }
