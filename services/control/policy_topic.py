"""The policy topic: its newest version is read, and the next one written by the one writer that apply is."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from services.control.framing import decode, encode
from services.control.policy_document import same_content
from topics import names
from topics.event import SchemaId
from topics.policy import Policy
from topics.wire import split

_TIMEOUT_S: Final = 15.0


class AnotherApplyRuns(Exception):  # noqa: N818 - says why this one stops
    """A second apply took over the policy topic; let it end, then plan again."""


class PolicyUnreadable(Exception):  # noqa: N818 - says what is broken
    """The policy topic's end cannot be read; the broker is not well."""


class VersionNotNewer(ValueError):  # noqa: N818 - says what is wrong
    """A version that does not follow the newest one must not be written."""


def newest_policy(kafka_config: Mapping[str, Any]) -> Policy | None:
    """The newest committed version, or None where none was ever written.

    Raises:
        PolicyUnreadable: the end of the topic was not reached in time.
    """
    newest = _newest_value(kafka_config)
    return Policy.model_validate_json(decode("PolicyVersion", newest)["document"]) if newest else None


def schema_of_newest(kafka_config: Mapping[str, Any]) -> SchemaId:
    """The id under which the newest version was written, for when the registry cannot be asked.

    Raises:
        PolicyUnreadable: there is none, or it was written under another schema than ours.
    """
    newest = _newest_value(kafka_config)
    if newest is None:
        raise PolicyUnreadable("there is no policy version yet")
    schema_id = split(newest)[0]
    if encode("PolicyVersion", schema_id, decode("PolicyVersion", newest)) != newest:
        raise PolicyUnreadable("the newest version was written under another schema; the registry is needed")
    return schema_id


def _newest_value(kafka_config: Mapping[str, Any]) -> bytes | None:
    consumer = Consumer(
        {
            **kafka_config,
            "group.id": "apply.reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        return _last(consumer)
    finally:
        consumer.close()


def _last(consumer: Consumer) -> bytes | None:
    consumer.assign([TopicPartition(names.POLICY, 0, 0)])
    newest: bytes | None = None
    while True:
        message = consumer.poll(_TIMEOUT_S)
        if message is None:
            raise PolicyUnreadable(f"the topic {names.POLICY} did not answer within {_TIMEOUT_S:.0f} s")
        error = message.error()
        if error is None:
            newest = message.value()
        elif error.code() == KafkaError._PARTITION_EOF:
            break
        elif not error.retriable():
            raise KafkaException(error)
    return newest


class PolicyWriter:
    """Holds the policy's transactional id: whoever opened it last is the only one who can write."""

    def __init__(self, kafka_config: Mapping[str, Any], schema_id: SchemaId) -> None:
        self._schema_id = schema_id
        self._producer = Producer(
            {
                **kafka_config,
                "transactional.id": names.APPLY_TRANSACTIONAL_ID,
                "acks": "all",
                "transaction.timeout.ms": 15000,
                "compression.type": "lz4",
            }
        )
        self._producer.init_transactions(_TIMEOUT_S)

    def write(self, policy: Policy, newest: Policy | None) -> Policy:
        """Append the version and return it; where it says what the newest says, nothing is written.

        Raises:
            AnotherApplyRuns: a later apply holds the transactional id.
            VersionNotNewer: the version is not the newest one plus one.
        """
        if newest is not None and same_content(newest, policy):
            return newest
        expected = newest.version + 1 if newest else 1
        if policy.version != expected:
            raise VersionNotNewer(f"policy version {policy.version} does not follow {expected - 1}")
        record = {
            "version": policy.version,
            "issued_ms": policy.issued_ms,
            "digest": policy.digest(),
            "document": policy.model_dump_json(by_alias=True),
        }
        self._append(str(policy.version).encode(), encode("PolicyVersion", self._schema_id, record))
        return policy

    def _append(self, key: bytes, value: bytes) -> None:
        failures: list[KafkaError] = []
        try:
            self._producer.begin_transaction()
            self._producer.produce(
                names.POLICY,
                value=value,
                key=key,
                partition=0,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
            self._producer.commit_transaction(_TIMEOUT_S)
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            if cause.fatal():
                raise AnotherApplyRuns("another apply took over; let it end, then plan again") from error
            self._producer.abort_transaction(_TIMEOUT_S)
            raise
        if failures:
            raise KafkaException(failures[0])
