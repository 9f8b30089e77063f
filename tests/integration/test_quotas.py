"""The broker holds a greedy reader to its quota, over all of its clients, and slows nobody else down."""

import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, Producer, ThrottleEvent, TopicPartition
from confluent_kafka.admin import AclOperation, NewTopic, ResourcePatternType, ResourceType

from services.control.quotas import read_quotas, set_quotas
from services.control.state import Quota
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

RECORD_BYTES, RECORDS = 10_000, 150
VOLUME = RECORD_BYTES * RECORDS
SMALL, LARGE = 100_000, 50_000_000
WINDOW_S = 11
"""The broker averages over eleven windows of a second: so many seconds' worth may come at once.
One client's volume is more than that: each is slowed down, even if one is done before the other begins."""
DEADLINE_S = 180.0


@dataclass(frozen=True)
class Reading:
    """What one reader saw: bytes, seconds until it had them all, and the longest pause that was imposed."""

    bytes: int
    seconds: float
    throttled_ms: float


@pytest.fixture
def topic(stack: Stack) -> str:
    """A megabyte and a half that cannot be compressed, in one partition."""
    name = f"quota-test-{uuid.uuid4().hex[:8]}"
    admin = stack.admin()
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(15)
    producer = Producer(stack.kafka_config("admin"))
    for _ in range(RECORDS):
        producer.produce(name, secrets.token_bytes(RECORD_BYTES))
    assert producer.flush(30) == 0
    return name


def department(stack: Stack, topic: str, fetch_bytes: int) -> str:
    """A consumer that may read the topic, with a quota as apply sets it."""
    consumer = f"quota_{uuid.uuid4().hex[:8]}"
    user = f"consumer-{consumer}"
    stack.users().ensure(user)
    rights = allow(user, ResourceType.TOPIC, topic, [AclOperation.READ])
    rights += allow(
        user, ResourceType.GROUP, f"{consumer}.", [AclOperation.READ], ResourcePatternType.PREFIXED
    )
    ensure_acls(stack.admin(), rights)
    quota = Quota(fetch_bytes=fetch_bytes, produce_bytes=1_048_576)
    set_quotas(stack.kafka_config("admin"), {user: quota})
    assert read_quotas(stack.kafka_config("admin"))[user] == quota
    return user


def read_all(stack: Stack, user: str, topic: str) -> Reading:
    """Read the whole topic as fast as the broker lets this user."""
    pauses: list[float] = []

    def paused(event: ThrottleEvent) -> None:
        pauses.append(event.throttle_time)

    reader = Consumer(
        {
            **stack.kafka_config(user),
            "group.id": f"{user.removeprefix('consumer-')}.test",
            "throttle_cb": paused,
            # Small answers: otherwise the first one alone holds more than the quota of a minute.
            "max.partition.fetch.bytes": 50_000,
            "enable.auto.commit": False,
        }
    )
    reader.assign([TopicPartition(topic, 0, 0)])
    began, taken = time.monotonic(), 0
    try:
        while taken < VOLUME:
            assert time.monotonic() - began < DEADLINE_S, f"{user} got {taken} of {VOLUME} bytes"
            for message in reader.consume(100, timeout=0.2):
                assert message.error() is None, message.error()
                taken += len(message.value() or b"")
        seconds = time.monotonic() - began
        # What the broker said with its last answer is handed over with the next poll.
        reader.poll(0)
    finally:
        reader.close()
    return Reading(taken, seconds, max(pauses, default=0.0))


@pytest.mark.alone
def test_a_greedy_reader_is_slowed_down_to_its_quota_and_another_reader_is_not(
    stack: Stack, topic: str
) -> None:
    greedy, modest = department(stack, topic, SMALL), department(stack, topic, LARGE)
    with ThreadPoolExecutor(3) as pool:
        slowed = [pool.submit(read_all, stack, greedy, topic) for _ in range(2)]
        free = pool.submit(read_all, stack, modest, topic).result()
        clients = [future.result() for future in slowed]

    assert all(client.throttled_ms > 0 for client in clients)
    assert free.throttled_ms == 0
    # Both clients of the greedy department share one quota; half of the exact time is a wide margin.
    longest = max(client.seconds for client in clients)
    owed = sum(client.bytes for client in clients) - WINDOW_S * SMALL
    assert longest > owed / SMALL / 2
    assert free.seconds < longest / 4


def test_without_a_small_quota_the_same_reader_is_not_slowed_down(stack: Stack, topic: str) -> None:
    reader = department(stack, topic, LARGE)
    assert read_all(stack, reader, topic).throttled_ms == 0
