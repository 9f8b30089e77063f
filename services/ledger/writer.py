"""Writes an operator's records: all of them in one transaction, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.ledger.reader import KafkaUnavailable
from topics.event import OutputRecord


class WriteRefused(Exception):  # noqa: N818 - the caller needs another user
    """Kafka refuses to let this user write there; nothing was written."""


class RecordWriter(Protocol):
    """What a disposition and a release need."""

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        """Write all of them or none; return their offsets in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class KafkaRecordWriter:
    """The real one; each call opens its own transactional producer."""

    config: Mapping[str, Any] = field(repr=False)
    transactional_id: str
    timeout_s: float = 30.0

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        """Write all of them or none; return their offsets in the same order.

        Raises:
            WriteRefused: no right to write to one of the topics.
            KafkaUnavailable: no answer within the deadline; whether it was written must be looked up.
        """
        producer = Producer(
            {
                **self.config,
                "transactional.id": self.transactional_id,
                "enable.idempotence": True,
                "transaction.timeout.ms": int(self.timeout_s * 1000),
                "log_level": 0,
            }
        )
        try:
            producer.init_transactions(self.timeout_s)
            producer.begin_transaction()
            return self._commit(producer, records)
        except KafkaException as error:
            raise _named(error.args[0]) from error

    def _commit(self, producer: Producer, records: Sequence[OutputRecord]) -> list[int]:
        offsets: dict[int, int] = {}
        failures: list[KafkaError] = []
        for number, record in enumerate(records):

            def delivered(error: KafkaError | None, message: Message, number: int = number) -> None:
                if error is not None:
                    failures.append(error)
                else:
                    offsets[number] = int(message.offset() or 0)

            producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
                on_delivery=delivered,
            )
        producer.flush(self.timeout_s)
        if failures or len(offsets) != len(records):
            producer.abort_transaction(self.timeout_s)
            if failures:
                raise _named(failures[0])
            raise KafkaUnavailable(
                f"writing to {records[0].topic}: no delivery report in {self.timeout_s:.0f} s"
            )
        producer.commit_transaction(self.timeout_s)
        return [offsets[number] for number in range(len(records))]


def _named(error: KafkaError) -> Exception:
    refused = (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
    )
    return (WriteRefused if error.code() in refused else KafkaUnavailable)(f"writing: {error.str()}")
