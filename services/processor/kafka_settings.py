"""The librdkafka settings of the data path, in one place; measured, see the comments for the reasons."""

from collections.abc import Mapping
from typing import Any, Final

from services.processor.settings import ProcessorSettings

_LOG_LEVEL = 4
"""Warnings and worse: the operator's log shows lost connections, whatever a command's clients are told."""
_SOON: Final[Mapping[str, Any]] = {
    # A broker that comes back is met within half a second; left alone, the client waits for up to ten.
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "retry.backoff.max.ms": 250,
    "socket.connection.setup.timeout.ms": 3_000,
    # With the other strategy a client that has lost all its connections forgets the brokers; a request to the
    # group's coordinator then waits for ever for one that was forgotten (librdkafka 2.16), and the others for
    # seconds. Addresses that all change at once need a restart.
    "metadata.recovery.strategy": "none",
}


def input_consumer(kafka: Mapping[str, Any], settings: ProcessorSettings) -> dict[str, Any]:
    """The consumer that shares the input partitions with the other instances of the group.

    ``auto.offset.reset=error``: the runner positions every partition itself, so that a lost position is
    an error and never a silent jump.
    """
    return {
        **kafka,
        **_SOON,
        "log_level": _LOG_LEVEL,
        "client.id": settings.instance_id,
        "group.id": settings.group,
        "group.instance.id": settings.instance_id,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": 500,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "topic.metadata.refresh.interval.ms": 10_000,
        # Records are sent as soon as they are there: a shorter wait only asks an idle broker more often.
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 20,
        # Per partition; each costs about 0.7 kB beside its bytes, and a batch takes fewer.
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 65_536,
        "fetch.max.bytes": 16_777_216,
        "max.partition.fetch.bytes": 4_194_304,
    }


def groupless_consumer(kafka: Mapping[str, Any], group: str, *, committed: bool = True) -> dict[str, Any]:
    """A consumer that assigns itself partitions and never joins the group.

    It names the group all the same: librdkafka wants one, and this is the one that the user may read.
    """
    return {
        **kafka,
        **_SOON,
        "log_level": _LOG_LEVEL,
        "client.id": f"{group}-reader",
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed" if committed else "read_uncommitted",
        # What waits here of a long partition is memory beside the slice that is being decided.
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 16_384,
        "max.partition.fetch.bytes": 4_194_304,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 20,
    }


def asking_consumer(kafka: Mapping[str, Any], group: str) -> dict[str, Any]:
    """A consumer that only finds out whether Kafka answers; the others log what they meet."""
    return groupless_consumer(kafka, group) | {
        "client.id": f"{group}-asking",
        "log_level": 0,
        # One batch is an answer; what a busy partition has after it is fetched by the input alone.
        "queued.min.messages": 1,
        "max.partition.fetch.bytes": 1_000,
    }


def transactional_producer(kafka: Mapping[str, Any], settings: ProcessorSettings) -> dict[str, Any]:
    """The producer of outputs, ledger blocks, offsets and acknowledgements."""
    return {
        **kafka,
        **_SOON,
        "log_level": _LOG_LEVEL,
        "client.id": settings.instance_id,
        "transactional.id": settings.instance_id,
        "enable.idempotence": True,
        "acks": "all",
        # A commit flushes at once, so lingering costs a lone record nothing. Within a large batch it should
        # end early: then the client compresses and sends what is queued while the rest is being queued.
        "linger.ms": 5,
        "batch.num.messages": 10_000,
        "batch.size": 1_000_000,
        "queue.buffering.max.messages": 1_000_000,
        "compression.type": settings.compression,
        "message.max.bytes": 8_000_000,
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "delivery.report.only.error": True,
    }
