"""A little of a bus's everyday work on the infrastructure, for its Java parts to learn from."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from services.stack.api import Stack
from services.stack.errors import StartStack

_TRANSACTIONS: Final = 200
_RECORDS: Final = 100
_PARTITIONS: Final = 4
_ANSWER_S: Final = 30.0


def exercise(stack: Stack) -> int:
    """Write transactions into a topic and read them back; return how many records were read.

    Raises:
        StartStack: the broker refuses or does not answer.
    """
    config, topic = stack.kafka_config("admin"), f"exercise-{uuid.uuid4().hex}"
    admin = AdminClient(config)
    try:
        (made,) = admin.create_topics([NewTopic(topic, _PARTITIONS, 1)]).values()
        made.result(_ANSWER_S)
        _write(config, topic)
        return _read(config, topic)
    except KafkaException as error:
        raise StartStack(f"kafka does not do its work: {error.args[0].str()}") from error


def _write(config: Mapping[str, Any], topic: str) -> None:
    producer = Producer({**config, "transactional.id": topic, "compression.type": "lz4"})
    producer.init_transactions(_ANSWER_S)
    for turn in range(_TRANSACTIONS):
        producer.begin_transaction()
        for number in range(_RECORDS):
            producer.produce(topic, f"value {turn} {number}".encode(), partition=number % _PARTITIONS)
        producer.commit_transaction(_ANSWER_S)


def _read(config: Mapping[str, Any], topic: str) -> int:
    reader = Consumer(
        {**config, "group.id": topic, "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    )
    try:
        reader.assign([TopicPartition(topic, number, 0) for number in range(_PARTITIONS)])
        found = 0
        while messages := reader.consume(_RECORDS, 2.0):
            found += len(messages)
            reader.commit(asynchronous=False)
        return found
    finally:
        reader.close()
