"""The policy topic: its newest version is read, and the next one written by the one writer that apply is."""

import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from services.control.desired import POLICY_BYTES
from services.control.framing import decode, encode
from services.control.policy_document import same_content
from topics import names
from topics.event import SchemaId
from topics.policy import Policy
from topics.wire import split

_TIMEOUT_S: Final = 15.0
_POLL_S: Final = 0.05
_LEADER_COMES: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
_LOOK_BACK: Final = 8
"""How many offsets before the end are looked at first; each further look goes so many times as far."""


class AnotherApplyRuns(Exception):  # noqa: N818 - says why this one stops
    """A second apply took over the policy topic; let it end, then plan again."""


class PolicyUnreadable(Exception):  # noqa: N818 - says what is broken
    """The policy topic's end cannot be read; the broker is not well."""


class VersionNotNewer(ValueError):  # noqa: N818 - says what is wrong
    """A version that does not follow the newest one must not be written."""


class HeldGrantDelivers(ValueError):  # noqa: N818 - says what is wrong
    """A version in which a held grant delivers must not be written: its hold must be lifted first."""


def newest_policy(kafka_config: Mapping[str, Any]) -> Policy | None:
    """The newest committed version, or None where none was ever written.

    Raises:
        PolicyUnreadable: the end of the topic was not reached in time.
    """
    newest = _newest_value(kafka_config)
    return _policy(newest) if newest else None


def newest_with_schema(kafka_config: Mapping[str, Any]) -> tuple[Policy, SchemaId]:
    """The newest version and the id under which it was written, for when the registry cannot be asked.

    Raises:
        PolicyUnreadable: there is none, or it was written under another schema than ours.
    """
    newest = _newest_value(kafka_config)
    if newest is None:
        raise PolicyUnreadable("there is no policy version yet")
    return _policy(newest), _schema_of(newest)


def require_unchanged(kafka_config: Mapping[str, Any], known: Policy | None) -> None:
    """Make sure, once the writer is opened and nobody else writes, that the known version is the newest.

    Raises:
        AnotherApplyRuns: somebody wrote since it was read; what was compared with it counts no more.
    """
    newest = newest_policy(kafka_config)
    if (newest.version if newest else 0) != (known.version if known else 0):
        raise AnotherApplyRuns("the policy has changed since it was compared; plan again")


def schema_of_newest(kafka_config: Mapping[str, Any]) -> SchemaId:
    """The id under which the newest version was written, for when the registry cannot be asked.

    Raises:
        PolicyUnreadable: there is none, or it was written under another schema than ours.
    """
    return newest_with_schema(kafka_config)[1]


def _policy(value: bytes) -> Policy:
    return Policy.model_validate_json(decode("PolicyVersion", value)["document"])


def _schema_of(value: bytes) -> SchemaId:
    schema_id = split(value)[0]
    if encode("PolicyVersion", schema_id, decode("PolicyVersion", value)) != value:
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
            "fetch.wait.max.ms": 50,
        }
    )
    try:
        return _last(consumer)
    finally:
        consumer.close()


def _last(consumer: Consumer) -> bytes | None:
    """From near the end, and further back where only marks of transactions stand there."""
    first, end = _bounds(consumer)
    back = _LOOK_BACK
    while True:
        start = max(first, end - back)
        newest = _last_from(consumer, start)
        if newest is not None or start == first:
            return newest
        back *= _LOOK_BACK


def _bounds(consumer: Consumer) -> tuple[int, int]:
    """First offset and end; a topic that was made a moment ago may not have its leader yet."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            first, end = consumer.get_watermark_offsets(TopicPartition(names.POLICY, 0), timeout=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() not in _LEADER_COMES or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return first, end


def _last_from(consumer: Consumer, start: int) -> bytes | None:
    consumer.assign([TopicPartition(names.POLICY, 0, start)])
    newest: bytes | None = None
    while True:
        message = consumer.poll(_TIMEOUT_S)
        if message is None:
            raise PolicyUnreadable(f"the topic {names.POLICY} did not answer within {_TIMEOUT_S:.0f} s")
        error = message.error()
        if error is None:
            newest = message.value()
        elif error.code() == KafkaError._PARTITION_EOF:
            return newest
        elif not error.retriable():
            raise KafkaException(error)


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
                "message.max.bytes": POLICY_BYTES,
            }
        )
        self._producer.init_transactions(_TIMEOUT_S)

    def write(self, policy: Policy, newest: Policy | None) -> Policy:
        """Append the version and return it; where it says what the newest says, nothing is written.

        Raises:
            AnotherApplyRuns: a later apply holds the transactional id.
            VersionNotNewer: the version is not the newest one plus one.
            HeldGrantDelivers: a grant delivers that a hold covers.
        """
        if newest is not None and same_content(newest, policy):
            return newest
        if policy.delivering_though_held():
            held = ", ".join(policy.delivering_though_held())
            raise HeldGrantDelivers(f"held grants must not deliver: {held}")
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
