"""Pieces of partitions, read by consumers that are kept, against a broker that librdkafka plays."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from services.processor.contract import InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.kafka_settings import groupless_consumer, input_consumer, transactional_producer
from services.processor.partition_reader import PartitionReader
from services.processor.settings import ProcessorSettings
from topics.event import TopicName

TOPIC = TopicName("state")
PARTITIONS = 4
RECORDS = 30
KEYS = TopicName("keys")
LATEST = [
    (b"a", b"1"),
    (None, b"of no key"),
    (b"b", b"2"),
    (b"a", b"3"),
    (b"gone", b"4"),
    (b"gone", None),
    (b"back", b"5"),
    (b"back", None),
    (b"back", b""),
]


@pytest.fixture(scope="module")
def kafka() -> Iterator[Mapping[str, Any]]:
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = broker.list_topics(timeout=10).brokers.values()
    where = {"bootstrap.servers": f"{found.host}:{found.port}", "log_level": 0}
    writer = Producer(where)
    for number in range(RECORDS):
        for partition in range(PARTITIONS):
            value = f"{partition}/{number}".encode()
            writer.produce(TOPIC, value, str(number), partition=partition)
    for key, latest in LATEST:
        writer.produce(KEYS, latest, key, partition=0)
    assert writer.flush(10) == 0
    yield where
    # It lasts as long as the client that plays it.
    del broker


def place(partition: int) -> InputPartition:
    return InputPartition(TOPIC, partition)


def written(partition: int) -> list[bytes]:
    return [f"{partition}/{number}".encode() for number in range(RECORDS)]


async def test_partitions_are_read_at_the_same_time_and_again_by_the_same_consumers(
    kafka: Mapping[str, Any],
) -> None:
    reader = PartitionReader(kafka, "group")
    known: set[int] = set()
    for _ in range(2):
        reading = [reader.last_values(place(partition)) for partition in range(PARTITIONS)]
        for partition, found in enumerate(await asyncio.gather(*reading)):
            assert list(found.values()) == written(partition)
        assert 1 <= len(reader._idle) <= PARTITIONS
        known = known or set(map(id, reader._idle))
    assert set(map(id, reader._idle)) >= known


async def test_of_each_key_the_last_value_counts_and_without_one_the_key_is_gone(
    kafka: Mapping[str, Any],
) -> None:
    found = await PartitionReader(kafka, "group").last_values(InputPartition(KEYS, 0))
    assert found == {b"a": b"3", b"b": b"2", b"back": b""}


async def test_a_piece_has_no_record_of_what_the_same_consumer_read_before(kafka: Mapping[str, Any]) -> None:
    reader = PartitionReader(kafka, "group")
    assert len(await reader.last_values(place(0))) == RECORDS
    found, reached = await reader.read_some(place(1), 7, 9, 100, 1_000)
    assert ([record.value for record in found], reached) == ([b"1/7", b"1/8"], 9)
    assert await reader.bounds(place(2)) == (0, RECORDS)


async def test_of_an_empty_partition_nothing_is_asked_but_its_bounds(kafka: Mapping[str, Any]) -> None:
    reader = PartitionReader(kafka, "group")
    assert await reader.last_values(InputPartition(KEYS, 1)) == {}
    assert reader._idle == []


async def test_a_long_piece_is_read_slice_by_slice_from_where_the_last_one_ended(
    kafka: Mapping[str, Any],
) -> None:
    reader = PartitionReader(kafka, "group")
    values: list[bytes | None] = []
    slices, reached, placed = 0, 3, None
    while reached < RECORDS - 2:
        found, after = await reader.read_some(place(0), reached, RECORDS - 2, 7, 1_000)
        assert len(found) <= 7
        assert after == (found[-1].offset + 1 if after < RECORDS - 2 else after)
        values += [record.value for record in found]
        assert placed is None or reader._standing is None or reader._standing[2] is placed
        placed = reader._standing[2] if reader._standing is not None else placed
        slices, reached = slices + 1, after
    assert values == written(0)[3 : RECORDS - 2]
    assert slices >= 4
    assert reader._idle == [placed]


async def test_a_slice_ends_where_it_has_enough_bytes_and_another_place_is_read_from_there(
    kafka: Mapping[str, Any],
) -> None:
    reader = PartitionReader(kafka, "group")
    reader_takes = "services.processor.partition_reader._AT_ONCE_OF_A_SLICE"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_takes, 1)
        found, reached = await reader.read_some(place(0), 0, RECORDS, 100, 12)
        assert ([record.value for record in found], reached) == ([b"0/0", b"0/1", b"0/2"], 3)
        found, reached = await reader.read_some(place(1), 5, RECORDS, 1, 8)
    assert ([record.value for record in found], reached) == ([b"1/5"], 6)


async def test_who_failed_is_not_asked_again() -> None:
    nobody = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    reader = PartitionReader(nobody, "group")
    reader.answer_s = 0.05
    with pytest.raises(WaitAndRetry):
        await reader.bounds(place(0))
    with pytest.raises(WaitAndRetry):
        await reader.read_some(place(0), 0, 1, 1, 1)
    assert reader._asking is None
    assert reader._idle == []


async def test_a_log_that_begins_later_than_the_piece_ends_the_instance(kafka: Mapping[str, Any]) -> None:
    reader = PartitionReader(kafka, "group")
    with pytest.raises(StopInstance) as stopped:
        await reader.read_some(place(0), RECORDS + 50, RECORDS + 60, 1, 1)
    assert stopped.value.code is ExitCode.POSITION_LOST


def test_every_client_of_the_data_path_tries_again_within_half_a_second_and_forgets_no_broker(
    tmp_path: Any,
) -> None:
    """librdkafka's own longest wait is ten seconds, and a forgotten broker is waited for without end."""
    kafka = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    settings = ProcessorSettings(group="gate", data_dir=tmp_path, web_port=1)
    clients = [
        (Consumer, input_consumer(kafka, settings)),
        (Consumer, groupless_consumer(kafka, "gate")),
        (Producer, transactional_producer(kafka, settings)),
    ]
    for make, given in clients:
        assert given["reconnect.backoff.max.ms"] <= 500
        assert given["metadata.recovery.strategy"] == "none"
        make(given)
