"""One suite for every source of records: the fake that tests use, and librdkafka against its mock brokers."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from confluent_kafka import KafkaError, Producer

from consumers.errors import FellBehind
from consumers.source import KafkaSource, RecordSource
from tests.contract.mock_broker import MockBroker
from tests.contract.subscribing import TOPIC, FakeLog, FakeSource, delivered, subscriber_settings
from topics.event import KafkaRecord

DEADLINE_S = 20.0


class World(Protocol):
    """A topic that can be written to, and sources of one group that read it."""

    def append(self, record: KafkaRecord) -> None: ...

    def source(self) -> RecordSource: ...


class FakeWorld:
    def __init__(self) -> None:
        self.log = FakeLog()

    def append(self, record: KafkaRecord) -> None:
        self.log.append([record])

    def source(self) -> RecordSource:
        return FakeSource(self.log)


class MockClusterWorld:
    """A topic on librdkafka's own broker."""

    def __init__(self) -> None:
        self._broker = MockBroker()
        self._producer = Producer({"bootstrap.servers": self._broker.bootstrap, "log_level": 0})
        self._producer.list_topics(TOPIC, timeout=10)
        self.said: list[str] = []

    def append(self, record: KafkaRecord) -> None:
        self._producer.produce(
            record.topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=record.partition,
            timestamp=int(time.time() * 1000),
        )
        assert self._producer.flush(10) == 0

    def source(self, clock: Callable[[], float] = time.time) -> KafkaSource:
        # The mock brokers keep a group waiting for the session's length after a member has left.
        settings = subscriber_settings(
            bootstrap=self._broker.bootstrap, security_protocol="PLAINTEXT", session_timeout_s=2.5
        )
        return KafkaSource(settings, clock, self.said.append)

    def close(self) -> None:
        self._broker.close()


@pytest.fixture
def cluster() -> Iterator[MockClusterWorld]:
    made = MockClusterWorld()
    yield made
    made.close()


@pytest.fixture(params=["fake", "librdkafka"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = FakeWorld() if request.param == "fake" else request.getfixturevalue("cluster")
    return found


def read(source: RecordSource, count: int) -> list[KafkaRecord]:
    found: list[KafkaRecord] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < count and time.monotonic() < deadline:
        record = source.poll(0.1)
        if record is not None:
            found.append(record)
    return found


def test_records_come_in_order_with_their_bytes_untouched(world: World) -> None:
    written = [delivered("a", "x", 1, offset=0), delivered("a", None, 2, offset=1)]
    for record in written:
        world.append(record)
    source = world.source()
    found = read(source, 2)
    assert [(r.offset, r.key, r.value, r.headers) for r in found] == [
        (r.offset, r.key, r.value, r.headers) for r in written
    ]
    assert [r.topic for r in found] == [TOPIC, TOPIC]
    source.close()


def test_next_source_of_the_group_goes_on_after_what_was_committed(world: World) -> None:
    for offset in range(3):
        world.append(delivered("a", "x", offset, offset=offset))
    first = world.source()
    records = read(first, 3)
    first.done(records[0])
    first.done(records[1])
    first.commit()
    first.close()
    second = world.source()
    assert [record.offset for record in read(second, 1)] == [2]
    second.close()


def test_record_that_was_not_done_comes_again(world: World) -> None:
    world.append(delivered("a", "x", 1, offset=0))
    first = world.source()
    assert len(read(first, 1)) == 1
    first.commit()
    first.close()
    second = world.source()
    assert len(read(second, 1)) == 1
    second.close()


def test_closing_commits_what_is_done(world: World) -> None:
    for offset in range(2):
        world.append(delivered("a", "x", offset, offset=offset))
    first = world.source()
    first.done(read(first, 2)[0])
    first.close()
    second = world.source()
    assert [record.offset for record in read(second, 1)] == [1]
    second.close()


def test_bus_that_was_out_of_reach_too_long_means_that_the_reader_fell_behind(
    cluster: MockClusterWorld,
) -> None:
    world = cluster
    world.append(delivered("a", "x", 0, offset=0))
    away = [0.0]
    source = world.source(lambda: time.time() + away[0])
    assert len(read(source, 1)) == 1
    for away_s, expected in [(3600.0, 1), (8 * 24 * 3600.0, 0)]:
        source._client_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        away[0] += away_s
        world.append(delivered("a", "x", 1, offset=0))
        if expected:
            assert len(read(source, 1)) == expected
            continue
        with pytest.raises(FellBehind, match="out of reach"):
            read(source, 1)
    assert [said for said in world.said if "does not answer" in said]
    source.close()


def test_staying_alive_loses_no_record(world: World) -> None:
    for offset in range(20):
        world.append(delivered("a", "x", offset, offset=offset))
    source = world.source()
    found: list[KafkaRecord] = []
    for _ in range(7):
        found += read(source, min(3, 20 - len(found)))
        source.keep_alive()
    assert [record.offset for record in found] == list(range(20))
    source.close()
