"""librdkafka's settings of the comparators: those that the bus uses, so that none is slowed down."""

from collections.abc import Mapping
from typing import Any


def consumer_settings(description: Mapping[str, Any]) -> dict[str, Any]:
    """A consumer that starts at the beginning and commits only through transactions."""
    return {
        **description["kafka"],
        "group.id": description["group"],
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_000,
        "fetch.wait.max.ms": 20,
        "fetch.queue.backoff.ms": 20,
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 65_536,
        "fetch.max.bytes": 16_777_216,
        "max.partition.fetch.bytes": 4_194_304,
    }


def producer_settings(description: Mapping[str, Any]) -> dict[str, Any]:
    """A transactional producer."""
    return {
        **description["kafka"],
        "transactional.id": description["group"],
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "batch.num.messages": 10_000,
        "batch.size": 1_000_000,
        "queue.buffering.max.messages": 1_000_000,
        "compression.type": description["compression"],
        "transaction.timeout.ms": 15_000,
        "delivery.report.only.error": True,
    }
