"""Asks Kafka and the registry: versions, what is declared, heartbeats, how far groups are behind."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import ApiVersionRequest
from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.control.comparison import compare
from services.control.kafka_topics import read_topics
from services.control.rights import DOCTOR
from services.control.state import Topic
from services.doctor.capture import judge_heartbeat
from services.doctor.declared import judge_declared, judge_foreign_topics, judge_no_definitions
from services.doctor.finding import Finding
from services.doctor.machine import judge_stamp
from services.doctor.patient import Patient
from services.doctor.running import GroupPlace, judge_groups
from services.doctor.versions import judge_broker, judge_equal, locked_versions
from services.stack.jars import read_lock
from topics.names import heartbeat, redelivery_of

_TIMEOUT_S: Final = 8.0
#: Topics that no definition names and that belong to what runs here.
_OWN_TOPICS: Final = ("_connect-", "faust-", "__")
#: Faust only elects its leader by its group and commits nothing that is missed. A copier's group keeps where
#: an epoch ended, and nobody reads on from there. Connect's worker has one; those of sinks are looked at.
_IGNORED_GROUPS: Final = ("faust-", "connect-govbus", "copier.")
_HEARTBEAT_TAIL: Final = 40


def ask_broker(patient: Patient) -> list[Finding]:
    """The broker's version, by the requests that it understands."""
    return [judge_broker(asyncio.run(_apis(patient.kafka_config)))]


def ask_registry(patient: Patient) -> list[Finding]:
    """The registry's version."""
    url = f"{patient.stack.endpoints().registry_native_url}/system/info"
    answer = cast("dict[str, str]", patient.json(url, patient.stack.registry_auth(DOCTOR)))
    wanted = locked_versions(file.coordinates for file in read_lock())
    return [judge_equal("Apicurio Registry", answer["version"], wanted.registry)]


def ask_declared(patient: Patient) -> list[Finding]:
    """Topics, rights, users, quotas, schemas, policy against the definitions."""
    if patient.definitions is None:
        return [judge_no_definitions(patient.definitions_error)]
    comparison = compare(patient.looking, patient.admin, patient.definitions)
    foreign = judge_foreign_topics(set(comparison.live.topics), set(comparison.desired.topics), _OWN_TOPICS)
    return [*judge_declared(comparison), *foreign]


def ask_heartbeats(patient: Patient) -> list[Finding]:
    """The newest heartbeat of each capture, and by it the broker's clock."""
    findings = []
    for capture in patient.captures:
        config = patient.connector_configs.get(capture.connector)
        if config is None:
            continue
        interval = int(config.get("heartbeat.interval.ms", "5000")) / 1000
        newest = _newest(patient.kafka_config, heartbeat(capture.provider))
        age = None if newest is None else time.time() - newest.seconds
        findings.append(judge_heartbeat(capture.connector, age, interval))
        if newest is not None and age is not None and age <= interval:
            findings.append(judge_stamp(newest.clock, age))
    return findings


def ask_groups(patient: Patient) -> list[Finding]:
    """Every consumer group against the oldest record and the compaction lag of what it reads."""
    admin = patient.admin
    topics = read_topics(admin)
    listing = admin.list_consumer_groups(request_timeout=_TIMEOUT_S).result()
    groups = [found.group_id for found in listing.valid]
    return judge_groups(_places(admin, topics, [g for g in groups if not g.startswith(_IGNORED_GROUPS)]))


def _places(admin: AdminClient, topics: Mapping[str, Topic], groups: Iterable[str]) -> list[GroupPlace]:
    committed = {
        (group, place.topic, place.partition): place.offset
        for group in groups
        for place in _committed(admin, group)
        # What is redelivered beside a grant's topic is kept for some days only, read or not.
        if place.offset >= 0 and place.topic in topics and redelivery_of(place.topic) is None
    }
    partitions = sorted({(topic, partition) for _, topic, partition in committed})
    begins = _offsets(admin, {place: OffsetSpec.earliest() for place in partitions})  # type: ignore[no-untyped-call]
    ends = _offsets(admin, {place: OffsetSpec.latest() for place in partitions})  # type: ignore[no-untyped-call]
    now_ms = int(time.time() * 1000)
    lagged = {
        (topic, partition): OffsetSpec.for_timestamp(now_ms - lag)
        for topic, partition in partitions
        if (lag := _compaction_lag_ms(topics[topic])) is not None
    }
    safe = _offsets(admin, lagged)
    return [
        GroupPlace(group, topic, partition, offset, begins[at], ends[at], _safe_from(at, safe, ends))
        for (group, topic, partition), offset in sorted(committed.items())
        for at in [(topic, partition)]
    ]


def _safe_from(
    at: tuple[str, int], safe: Mapping[tuple[str, int], int], ends: Mapping[tuple[str, int], int]
) -> int | None:
    """The first record younger than the lag; the end where no record is, None where nothing is compacted."""
    if at not in safe:
        return None
    return safe[at] if safe[at] >= 0 else ends[at]


def _compaction_lag_ms(topic: Topic) -> int | None:
    lag = int(topic.configs.get("min.compaction.lag.ms", "0"))
    return lag if "compact" in topic.configs.get("cleanup.policy", "") and lag > 0 else None


def _committed(admin: AdminClient, group: str) -> list[TopicPartition]:
    asked = [ConsumerGroupTopicPartitions(group)]
    answer = admin.list_consumer_group_offsets(asked, request_timeout=_TIMEOUT_S)[group].result()
    return list(answer.topic_partitions)


def _offsets(admin: AdminClient, asked: Mapping[tuple[str, int], OffsetSpec]) -> dict[tuple[str, int], int]:
    if not asked:
        return {}
    places = {TopicPartition(*place): spec for place, spec in asked.items()}
    answers = admin.list_offsets(places, request_timeout=_TIMEOUT_S)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a record was written, in seconds since 1970, and by whose clock."""

    seconds: float
    clock: str


def _newest(config: Mapping[str, Any], topic: str) -> Stamp | None:
    """When the newest committed record was written; None where there is none.

    Raises:
        KafkaException: the topic cannot be read.
    """
    reader = Consumer(
        {
            **config,
            "group.id": "doctor.reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    try:
        place = TopicPartition(topic, 0)
        begin, end = reader.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        # Between records lie the marks of their transactions: the last offsets need not be records.
        reader.assign([TopicPartition(topic, 0, max(begin, end - _HEARTBEAT_TAIL))])
        return _last_time(reader)
    finally:
        reader.close()


def _last_time(reader: Consumer) -> Stamp | None:
    newest: Stamp | None = None
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        record = reader.poll(0.5)
        if record is None:
            continue
        error = record.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                return newest
            raise KafkaException(error)
        kind, milliseconds = record.timestamp()
        clock = "the Kafka broker's clock" if kind == TIMESTAMP_LOG_APPEND_TIME else "Connect's clock"
        newest = newest if kind == TIMESTAMP_NOT_AVAILABLE else Stamp(milliseconds / 1000, clock)
    raise TimeoutError(f"the end was not reached within {_TIMEOUT_S:.0f} s")


async def _apis(config: Mapping[str, Any]) -> dict[int, int]:
    client = AIOKafkaClient(
        bootstrap_servers=config["bootstrap.servers"],
        security_protocol=config["security.protocol"],
        sasl_mechanism=config["sasl.mechanism"],
        sasl_plain_username=config["sasl.username"],
        sasl_plain_password=config["sasl.password"],
        client_id="doctor",
    )
    await client.bootstrap()
    try:
        answer = await client.send(client.get_random_node(), ApiVersionRequest())
    finally:
        await client.close()
    return {int(key): int(newest) for key, _, newest in answer.api_versions}
