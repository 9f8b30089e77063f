"""Asks Kafka for transactions without an end, in every partition that there is."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.doctor.finding import Finding
from services.doctor.patient import Patient
from services.doctor.transactions import OpenTransaction, judge_transactions

_TIMEOUT_S: Final = 8.0

Place = tuple[str, int]


def ask_transactions(patient: Patient) -> list[Finding]:
    """Whether a transaction has been open for longer than anybody would work on it."""
    return [judge_transactions(open_transactions(patient.stack.admin(), patient.stack.kafka_config("admin")))]


def open_transactions(admin: AdminClient, config: Mapping[str, Any]) -> list[OpenTransaction]:
    """The oldest transaction without an end of every partition that has one.

    Args:
        admin: a client that may describe every topic.
        config: the login of a user who may read every topic.
    """
    topics = admin.list_topics(timeout=_TIMEOUT_S).topics
    places = [(name, partition) for name, topic in topics.items() for partition in topic.partitions]
    ends = _ends(admin, places, IsolationLevel.READ_UNCOMMITTED)
    stable = _ends(admin, places, IsolationLevel.READ_COMMITTED)
    begins = {place: stable[place] for place in places if stable[place] < ends[place]}
    return list(_aged(config, begins.items()))


def _ends(admin: AdminClient, places: Iterable[Place], level: IsolationLevel) -> dict[Place, int]:
    specification: Any = OffsetSpec
    asked = {TopicPartition(*place): specification.latest() for place in places}
    answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_TIMEOUT_S)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def _aged(config: Mapping[str, Any], begins: Iterable[tuple[Place, int]]) -> Iterator[OpenTransaction]:
    """With the time of its first record, which nobody may read who reads only what is committed."""
    settings = {"group.id": "ledger.doctor", "enable.auto.commit": False, "log_level": 0}
    reader = Consumer({**config, **settings, "isolation.level": "read_uncommitted"})
    try:
        for (topic, partition), offset in begins:
            reader.assign([TopicPartition(topic, partition, offset)])
            record = reader.poll(_TIMEOUT_S)
            if record is None or record.error() is not None:
                raise KafkaException(record.error()) if record else TimeoutError(f"{topic}:{partition}")
            yield OpenTransaction(topic, partition, offset, time.time() - record.timestamp()[1] / 1000)
    finally:
        reader.close()
