"""The copier's transactions: one id per grant, so that a later copier of it ends an earlier one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from topics.event import OutputRecord

_TIMEOUT_S: Final = 60.0


class EpochInterrupted(Exception):  # noqa: N818 - says what happened
    """The copier was fenced or a transaction of its failed; run apply again, it begins a new epoch."""


class CopyTransactions:
    """Writes whole transactions or nothing."""

    def __init__(self, kafka_config: Mapping[str, Any], transactional_id: str) -> None:
        self._producer = Producer(
            {
                **kafka_config,
                "transactional.id": transactional_id,
                "acks": "all",
                "linger.ms": 20,
                "compression.type": "lz4",
                "message.max.bytes": 8_000_000,
                "transaction.timeout.ms": 60_000,
                "delivery.report.only.error": True,
            }
        )
        self._producer.init_transactions(_TIMEOUT_S)

    def write(
        self,
        outputs: Iterable[OutputRecord],
        offsets: Iterable[TopicPartition] = (),
        group_metadata: Any = None,
    ) -> None:
        """Commit the records and offsets together.

        Raises:
            EpochInterrupted: nothing of this transaction will ever be readable.
        """
        try:
            self._producer.begin_transaction()
            for output in outputs:
                self._produce(output)
            committed = list(offsets)
            if committed:
                self._retried(
                    lambda: self._producer.send_offsets_to_transaction(committed, group_metadata, _TIMEOUT_S)
                )
            self._retried(lambda: self._producer.commit_transaction(_TIMEOUT_S))
        except KafkaException as error:
            self._give_up(error.args[0])
            raise EpochInterrupted(str(error.args[0])) from error

    def _produce(self, output: OutputRecord) -> None:
        while True:
            try:
                self._producer.produce(
                    output.topic,
                    value=output.value,
                    key=output.key,
                    partition=output.partition,
                    headers=list(output.headers) or None,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _retried(self, call: Callable[[], object]) -> None:
        """librdkafka asks for the same call again where only its answer is late."""
        try:
            call()
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            if not cause.retriable() or cause.txn_requires_abort():
                raise
            call()

    def _give_up(self, cause: KafkaError) -> None:
        if not cause.fatal():
            self._producer.abort_transaction(_TIMEOUT_S)
