"""Topics on the running broker: read them with their settings, create, alter, and ask for offsets."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from services.control.state import Topic

_TIMEOUT_S: Final = 30.0
_AT_ONCE: Final = 200
"""The controller refuses a request that would make over 10,000 records of topics, settings, partitions."""
_POLL_S: Final = 0.02


class TransactionStaysOpen(Exception):  # noqa: N818 - says what is the matter
    """A transaction on the topic did not end in time: what it wrote is neither readable nor void."""


def read_topics(admin: AdminClient) -> dict[str, Topic]:
    """Every topic that is not Kafka's own, with the values of all its settings."""
    found = {
        name: len(topic.partitions)
        for name, topic in admin.list_topics(timeout=_TIMEOUT_S).topics.items()
        if not name.startswith("__")
    }
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in sorted(found)]
    topics = {}
    answers = admin.describe_configs(wanted, request_timeout=_TIMEOUT_S) if wanted else {}
    for resource, answer in answers.items():
        configs = {key: str(entry.value) for key, entry in answer.result().items()}
        topics[resource.name] = Topic(resource.name, found[resource.name], configs)
    return topics


def create_topics(admin: AdminClient, topics: Iterable[Topic], replication: int = 1) -> None:
    """Create the topics and wait until the broker knows them.

    Raises:
        KafkaException: the broker refused one.
    """
    wanted = [
        NewTopic(topic.name, topic.partitions, replication, config=dict(topic.configs)) for topic in topics
    ]
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        answers = admin.create_topics(some, operation_timeout=_TIMEOUT_S, request_timeout=_TIMEOUT_S)
        for answer in answers.values():
            answer.result()


def delete_topics(admin: AdminClient, topics: Iterable[str]) -> None:
    """Delete the topics; one that is gone already is no error.

    Raises:
        KafkaException: the broker refused one.
    """
    wanted = sorted(topics)
    if not wanted:
        return
    for answer in admin.delete_topics(wanted, request_timeout=_TIMEOUT_S).values():
        try:
            answer.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise


def topic_names(admin: AdminClient) -> frozenset[str]:
    """The names of all topics that there are."""
    return frozenset(admin.list_topics(timeout=_TIMEOUT_S).topics)


def alter_topics(admin: AdminClient, changes: Mapping[str, Mapping[str, str]]) -> None:
    """Set these settings of these topics; others stay as they are."""
    resources = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in configs.items()
            ],
        )
        for name, configs in changes.items()
    ]
    if resources:
        for answer in admin.incremental_alter_configs(resources, request_timeout=_TIMEOUT_S).values():
            answer.result()


def end_offsets(admin: AdminClient, topic: str, partitions: int, *, stable: bool) -> dict[int, int]:
    """Partition → end offset; ``stable`` asks for the offset up to which all transactions have ended."""
    level = IsolationLevel.READ_COMMITTED if stable else IsolationLevel.READ_UNCOMMITTED
    specification: Any = OffsetSpec
    asked = {TopicPartition(topic, number): specification.latest() for number in range(partitions)}
    answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_TIMEOUT_S)
    return {place.partition: answer.result().offset for place, answer in answers.items()}


def reached_ends(admin: AdminClient, topic: str, partitions: int, timeout_s: float) -> dict[int, int]:
    """Stable ends behind everything that was there when it was asked: what was committed before counts.

    The last stable offset follows a commit a moment later, so it alone may lie before it. On a topic that
    is written all the time the two are never the same (``settled_ends``), and this ends nevertheless.

    Raises:
        TransactionStaysOpen: one that was open then still was after that time.
    """
    wanted = end_offsets(admin, topic, partitions, stable=False)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ends = end_offsets(admin, topic, partitions, stable=True)
        if all(ends[partition] >= end for partition, end in wanted.items()):
            return ends
        time.sleep(_POLL_S)
    raise TransactionStaysOpen(f"{topic}: a transaction is still open after {timeout_s:.0f} s")


def settled_ends(admin: AdminClient, topic: str, partitions: int, timeout_s: float) -> dict[int, int]:
    """The end of each partition once every transaction on the topic has ended.

    Raises:
        TransactionStaysOpen: one was still open after that time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ends = end_offsets(admin, topic, partitions, stable=False)
        if end_offsets(admin, topic, partitions, stable=True) == ends:
            return ends
        time.sleep(_POLL_S)
    raise TransactionStaysOpen(f"{topic}: a transaction is still open after {timeout_s:.0f} s")
