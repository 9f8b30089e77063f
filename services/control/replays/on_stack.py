"""Opens what a replay needs of an embedded stack: the replay's own reader, and the copier's hand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.control.desired import redelivered_topic
from services.control.kafka_topics import create_topics, topic_names
from services.ledger.reader import KafkaTopicReader
from services.ledger.replay.what_is_known import Known, SecretMissing
from services.stack.api import Stack
from services.stack.errors import StackError
from topics.disputes import Disputes
from topics.event import GrantId, OutputRecord, TopicName
from topics.names import copier_transactional_id
from topics.policy import Policy

_USER: Final = "replay"
_READER: Final = "ledger"
"""The login for the registry; it only reads."""
_TIMEOUT_S: Final = 60.0


class DeliveryInterrupted(Exception):  # noqa: N818 - says what happened
    """The grant was withdrawn, suspended or filled anew meanwhile: nothing of the transaction is readable."""


@contextmanager
def open_known(stack: Stack, timeout_s: float = 60.0) -> Iterator[Known]:
    """Everything that deciding again reads, by the login of replays, which belongs to no live group.

    Raises:
        StackError: a secret or a setting is missing.
    """
    login = stack.registry_auth(_READER)
    registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, *login))
    with KafkaTopicReader(stack.kafka_config(_USER), f"{_USER}.reader", timeout_s) as reader:
        yield Known(reader, registry, lambda version: _master_secret(stack, version))


def _master_secret(stack: Stack, version: int) -> bytes:
    try:
        return stack.secret(f"master-v{version}").encode()
    except StackError as error:
        raise SecretMissing(f"version {version} of the master secret is not here") from error


@dataclass(frozen=True, slots=True)
class StackDeliverer:
    """See ``services.control.replays.redelivering.Deliverer``; it takes over the copier's id."""

    stack: Stack
    known: Known

    def make(self, topic: TopicName, partitions: int) -> None:
        """Make a separate topic as who may make topics, unless an earlier run has."""
        admin = self.stack.admin()
        if topic not in topic_names(admin):
            create_topics(admin, [redelivered_topic(topic, partitions)])

    def policy(self) -> Policy:
        """The newest policy version, read now."""
        return Known(self.known.reader, self.known.registry, self.known.secret).newest()

    def disputes(self) -> Disputes:
        """The disputes that are open now."""
        return Known(self.known.reader, self.known.registry, self.known.secret).open_disputes()

    def write(self, grant: GrantId, records: Sequence[OutputRecord], still: Callable[[], bool]) -> bool:
        """Write all in one transaction, and commit it if ``still`` says so once all of them have their place.

        Raises:
            DeliveryInterrupted: Kafka refused or fenced it.
        """
        producer = Producer(_settings(self.stack.kafka_config("copier"), copier_transactional_id(grant)))
        refused: list[str] = []
        try:
            producer.init_transactions(_TIMEOUT_S)
            producer.begin_transaction()
            for record in records:
                _produce(producer, record, refused)
            left = producer.flush(_TIMEOUT_S)
            if left or refused or not still():
                producer.abort_transaction(_TIMEOUT_S)
                if left or refused:
                    raise DeliveryInterrupted(refused[0] if refused else f"{left} records were not confirmed")
                return False
            producer.commit_transaction(_TIMEOUT_S)
        except KafkaException as error:
            raise DeliveryInterrupted(str(error.args[0].str())) from error
        return True


def _produce(producer: Producer, record: OutputRecord, refused: list[str]) -> None:
    def told(error: Any, _message: Any) -> None:
        if error is not None:
            refused.append(str(error))

    while True:
        try:
            producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers) or None,
                on_delivery=told,
            )
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def _settings(kafka: dict[str, Any], transactional_id: str) -> dict[str, Any]:
    return {
        **kafka,
        "transactional.id": transactional_id,
        "acks": "all",
        "linger.ms": 20,
        "compression.type": "lz4",
        "message.max.bytes": 8_000_000,
        "transaction.timeout.ms": 60_000,
        "log_level": 0,
    }
