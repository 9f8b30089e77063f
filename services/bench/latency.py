"""From a commit in the source to a department's read: collects arrivals and says where the time went."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from consumers.settings import from_credentials_file
from topics.delivery import milliseconds
from topics.engine.reference import ReferenceCodec
from topics.wire import split

_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivered record: its change, when the source committed it, when it was written and read (ms)."""

    change: str
    committed_ms: int
    delivered_ms: int
    read_ms: float

    @property
    def latency_ms(self) -> float:
        """From the commit to the read."""
        return self.read_ms - self.committed_ms


class Department:
    """Reads one grant's topic with the department's own credentials, from its end on, in a thread."""

    def __init__(self, credentials: Path, topic: str) -> None:
        settings = from_credentials_file(credentials, topic=topic)
        self._client = Consumer(
            {
                **settings.client(),
                "group.id": settings.group_id,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
                "fetch.queue.backoff.ms": 5,
                "auto.offset.reset": "error",
            }
        )
        parts = self._client.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        ends = []
        for part in parts:
            _low, high = self._client.get_watermark_offsets(TopicPartition(topic, part), timeout=_TIMEOUT_S)
            ends.append(TopicPartition(topic, part, high))
        self._client.assign(ends)
        self._arrivals: list[Arrival] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"reads {topic}", daemon=True)
        self._thread.start()

    def take(self) -> list[Arrival]:
        """What arrived since the last call."""
        taken, self._arrivals = self._arrivals, []
        return taken

    def count(self) -> int:
        """How many arrived since the last ``take``."""
        return len(self._arrivals)

    def close(self) -> None:
        """End the session."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _loop(self) -> None:
        while not self._stop.is_set():
            # The first as soon as it is there, then whatever came with it.
            messages = self._client.consume(1, 0.1)
            now = time.time_ns() / 1e6
            messages += self._client.consume(1_000, 0)
            for message in messages:
                if message.error() is None:
                    self._arrivals.append(_arrival(message, now))


def _arrival(message: Any, now: float) -> Arrival:
    headers = dict(message.headers() or ())
    committed = milliseconds(headers["ce_time"].decode())
    return Arrival(headers["ce_id"].decode(), committed, message.timestamp()[1], now)


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p99, p99.9 and the highest, in ms; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)

    return {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": round(ordered[-1], 1)}


class Stages:
    """Splits latencies by the broker's and the producers' timestamps along the way."""

    def __init__(self, canonical_schema: str) -> None:
        self._codec = ReferenceCodec(json.loads(canonical_schema))

    def split(
        self, arrivals: Sequence[Arrival], raw: Mapping[str, int], canonical: Mapping[str, int]
    ) -> dict[str, dict[str, float] | None]:
        """Percentiles of each stage.

        Args:
            arrivals: what was read.
            raw: change → when the broker appended the captured record, in ms.
            canonical: change → when the gate wrote the canonical record, in ms.
        """
        known = [each for each in arrivals if each.change in raw and each.change in canonical]
        return {
            "debezium": percentiles([raw[each.change] - each.committed_ms for each in known]),
            "gate": percentiles([canonical[each.change] - raw[each.change] for each in known]),
            "fanout": percentiles([each.delivered_ms - canonical[each.change] for each in known]),
            "commit_and_read": percentiles([each.read_ms - each.delivered_ms for each in known]),
        }

    def change_of(self, value: bytes) -> str:
        """Which change a canonical record comes from."""
        found = self._codec.decode(split(value)[1])
        return f"{found['raw_topic']}/{found['raw_partition']}/{found['raw_offset']}"
