"""What both transports must do alike on a real broker: librdkafka's C API, and confluent-kafka's calls."""

import asyncio
import ctypes
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from services.processor import kafka_settings
from services.processor.applied import Applied
from services.processor.consumer import GroupInput, Stage
from services.processor.contract import InputPartition
from services.processor.errors import (
    AbortTransaction,
    ExitCode,
    OutputRefused,
    RecreateProducer,
    StopInstance,
)
from services.processor.records import UNREADABLE_HEADERS
from services.processor.settings import ProcessorSettings
from services.processor.transactions import Transactions
from services.processor.transport import KafkaTransport, confluent, native_transport
from tests.integration.processor_bus import KafkaOnly
from tests.support.waiting import patience
from topics.engine.lanes import RecordLane
from topics.engine.native import compiled, module
from topics.event import KafkaRecord, OutputRecord, TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

PARTITIONS = 4
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRANSPORTS = [confluent] + ([native_transport] if compiled() else [])
if compiled():
    from services.processor import native_kafka


@dataclass
class Desk:
    """A transport on a real broker, with topics of a test's own."""

    transport: KafkaTransport
    kafka: dict[str, Any]
    group: str
    inputs: list[GroupInput] = field(default_factory=list)
    revoked: list[InputPartition] = field(default_factory=list)

    @property
    def topic(self) -> TopicName:
        return TopicName(f"{self.group}.topic")

    def settings(self, instance: int = 0) -> ProcessorSettings:
        return ProcessorSettings(group=self.group, instance=instance, data_dir=Path("unused"), web_port=1)

    async def transactions(self, instance: int = 0) -> Transactions:
        settings = kafka_settings.transactional_producer(self.kafka, self.settings(instance))
        transactions = Transactions(lambda: self.transport.make_sender(settings), patience_s=20.0)
        await transactions.open()
        return transactions

    def input(self, instance: int = 0, **changed: int) -> GroupInput:
        """A member of the group; settings of the client that are changed have underscores for dots."""
        settings = kafka_settings.input_consumer(self.kafka, self.settings(instance))
        settings |= {name.replace("_", "."): value for name, value in changed.items()}
        found = GroupInput(self.transport.make_source(settings), self.revoked.append)
        self.inputs.append(found)
        found.subscribe(frozenset({self.topic}))
        return found

    async def read(self, count: int, transport_input: GroupInput, most: int = 1000) -> list[KafkaRecord]:
        """So many records, from the beginning of whatever is or becomes ours."""
        found: list[KafkaRecord] = []

        def collect() -> bool:
            start_fresh(transport_input)
            for records in transport_input.collect(most, 1_000_000):
                found.extend(records)
                place = InputPartition(records.topic, records.partition)
                transport_input.owned[place].position = records[-1].offset + 1
            return len(found) >= count

        await until(collect)
        return found

    async def write(self, transactions: Transactions, records: list[OutputRecord], lane: Any = None) -> None:
        found = (lane or RecordLane)(self.topic, records[0].partition)
        for record in records:
            found.append(record)
        transactions.begin()
        await transactions.produce([found])
        await transactions.commit({}, Applied(1), None)

    def records(self, count: int, partition: int = 0) -> list[OutputRecord]:
        return [
            OutputRecord(self.topic, partition, b"k", str(number).encode(), (("n", str(number).encode()),))
            for number in range(count)
        ]


def start_fresh(transport_input: GroupInput) -> None:
    """What the runner does with partitions that come: position them, then fetch."""
    for source in transport_input.in_stage(Stage.FRESH):
        transport_input.owned[source].stage = Stage.BEHIND
    for source in transport_input.in_stage(Stage.BEHIND):
        transport_input.resume(source)


async def owning(count: int, member: GroupInput, *others: GroupInput) -> None:
    """Serve the members until the first one owns so many partitions."""

    def settled() -> bool:
        for each in (member, *others):
            each.serve()
        return member.joined and len(member.owned) == count

    await until(settled)


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds * patience()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)


@pytest.fixture(params=TRANSPORTS, ids=lambda make: make().name)
async def desk(request: pytest.FixtureRequest, broker: KafkaOnly, tmp_path: Path) -> AsyncIterator[Desk]:
    name = "".join(letter if letter.isalnum() else "." for letter in request.node.name)[-90:]
    name = f"{name}.{secrets.token_hex(4)}"
    desk = Desk(request.param(), broker.kafka_config("admin"), name)
    admin = AdminClient(desk.kafka)
    await asyncio.to_thread(admin.create_topics([NewTopic(desk.topic, PARTITIONS, 1)])[desk.topic].result)
    yield desk
    for transport_input in desk.inputs:
        await transport_input.close()


async def test_records_of_every_shape_come_back_as_they_were_written(desk: Desk) -> None:
    shapes = [
        OutputRecord(desk.topic, 1, b"k", b"v"),
        OutputRecord(desk.topic, 1, b"", b""),
        OutputRecord(desk.topic, 1, None, None),
        OutputRecord(
            desk.topic, 1, b"gone", None, (("ce_id", b"raw/0/1"), ("empty", b""), ("n\u00e4me", b"\xff"))
        ),
        OutputRecord(
            desk.topic, 1, b"k" * 300, b"v" * 70_000, tuple((f"h{n}", b"x" * 9000) for n in range(9))
        ),
    ]
    transactions = await desk.transactions()
    await desk.write(transactions, shapes)
    if compiled():
        await desk.write(transactions, shapes, module("topics.engine.native_batch").ByteLane)
    expected = shapes * (2 if compiled() else 1)
    found = await desk.read(len(expected), desk.input())
    assert [(each.key, each.value, each.headers) for each in found] == [
        (each.key, each.value, each.headers) for each in expected
    ]
    assert {(each.topic, each.partition) for each in found} == {(desk.topic, 1)}
    assert [each.offset for each in found[:5]] == [0, 1, 2, 3, 4]
    assert all(abs(each.timestamp_ms / 1000 - time.time()) < 100 for each in found)


async def test_a_trace_travels_on_every_record_beside_its_own_headers(desk: Desk) -> None:
    transactions = await desk.transactions()
    lane = RecordLane(desk.topic, 0, desk.records(3))
    transactions.begin()
    await transactions.produce([lane], TRACE)
    await transactions.commit({}, Applied(1), None)
    found = await desk.read(3, desk.input())
    assert [each.headers for each in found] == [
        (("n", str(number).encode()), ("traceparent", TRACE)) for number in range(3)
    ]


async def test_many_records_keep_their_order_and_an_aborted_transaction_is_never_seen(desk: Desk) -> None:
    transactions = await desk.transactions()
    transactions.begin()
    await transactions.produce([RecordLane(desk.topic, 0, desk.records(500))])
    await transactions.abort()
    await desk.write(transactions, desk.records(5_000))
    found = await desk.read(5_000, desk.input(), most=700)
    assert [each.value for each in found] == [str(number).encode() for number in range(5_000)]


async def test_a_record_that_the_broker_refuses_fails_the_whole_transaction(desk: Desk) -> None:
    transactions = await desk.transactions()
    too_large = OutputRecord(desk.topic, 0, b"k", os.urandom(2_000_000))
    with pytest.raises((AbortTransaction, RecreateProducer)):
        await desk.write(transactions, [*desk.records(3), too_large])
    # The client notices late that it has skipped a sequence number: one more transaction may fail.
    while not await written(desk, transactions):
        pass
    assert [each.value for each in await desk.read(2, desk.input())] == [b"0", b"1"]


async def test_a_refusal_is_told_between_two_portions_and_not_before(desk: Desk) -> None:
    """What follows a refused portion is not written, so the one that was written last is to blame."""
    transactions = await desk.transactions()
    begun: list[int] = []

    def portion(number: int, *records: OutputRecord) -> Iterator[RecordLane]:
        begun.append(number)
        yield RecordLane(desk.topic, 0, records)

    too_large = OutputRecord(desk.topic, 0, b"k", os.urandom(2_000_000))
    transactions.begin()
    with pytest.raises(OutputRefused):
        await transactions.write(
            [
                portion(0, *desk.records(3)),
                portion(1, too_large),
                portion(2, *desk.records(3)),
            ]
        )
    assert begun == [0, 1]
    while not await written(desk, transactions):
        pass
    transactions.begin()
    await transactions.write([portion(3, *desk.records(1)), portion(4), portion(5, *desk.records(1))])
    await transactions.commit({}, Applied(1), None)
    assert [each.value for each in await desk.read(4, desk.input())] == [b"0", b"1", b"0", b"0"]


async def written(desk: Desk, transactions: Transactions) -> bool:
    try:
        await transactions.abort()
        await desk.write(transactions, desk.records(2))
    except RecreateProducer:
        await transactions.open()
        return False
    except AbortTransaction:
        return False
    return True


async def test_a_second_producer_with_the_same_id_fences_the_first(desk: Desk) -> None:
    first = await desk.transactions()
    first.begin()
    await first.produce([RecordLane(desk.topic, 0, desk.records(3))])
    second = await desk.transactions()
    with pytest.raises(StopInstance) as told:
        await first.commit({}, Applied(1), None)
    assert told.value.code is ExitCode.FENCED
    await desk.write(second, desk.records(1))
    assert [each.value for each in await desk.read(1, desk.input())] == [b"0"]


async def test_offsets_are_committed_with_the_outputs_and_the_policy_version(desk: Desk) -> None:
    transactions, transport_input = await desk.transactions(), desk.input()
    await owning(PARTITIONS, transport_input)
    source = InputPartition(desk.topic, 2)
    assert await transport_input.committed([source]) == {source: (None, Applied(0))}
    group = transport_input.group_metadata
    endings: list[Any] = [
        (transactions.abort, (None, Applied(0))),
        (lambda: transactions.commit({source: 7}, Applied(4), group()), (7, Applied(4))),
    ]
    for ending, expected in endings:
        transactions.begin()
        await transactions.produce([RecordLane(desk.topic, 0, desk.records(1))])
        await ending()
        assert await transport_input.committed([source]) == {source: expected}


async def test_who_is_no_longer_in_the_group_cannot_commit_its_offsets(desk: Desk) -> None:
    transactions, leaving = await desk.transactions(), desk.input()
    await owning(PARTITIONS, leaving)
    metadata = leaving.group_metadata()
    await leaving.close()
    desk.inputs.remove(leaving)
    staying = desk.input(1)
    await owning(PARTITIONS, staying)
    transactions.begin()
    with pytest.raises(AbortTransaction):
        await transactions.commit({InputPartition(desk.topic, 0): 1}, Applied(1), metadata)
    await transactions.abort()


async def test_who_does_not_poll_for_too_long_loses_its_partitions_cannot_commit_and_comes_back(
    desk: Desk,
) -> None:
    transactions, silent = await desk.transactions(), desk.input(0, max_poll_interval_ms=6_000)
    await owning(PARTITIONS, silent)
    start_fresh(silent)
    metadata = silent.group_metadata()
    waiting = desk.input(1)
    # Its process lives, its client sends heartbeats: only that it asks for nothing gives its part away.
    await owning(PARTITIONS, waiting)
    assert len(silent.owned) == PARTITIONS, "nobody has told it yet"
    transactions.begin()
    with pytest.raises(AbortTransaction):
        await transactions.commit({InputPartition(desk.topic, 0): 1}, Applied(1), metadata)
    await transactions.abort()

    def told() -> bool:
        silent.serve()
        waiting.serve()
        return {each.partition for each in desk.revoked} == set(range(PARTITIONS))

    # Whatever it gets again it takes up from what is committed by then.
    await until(told)
    await owning(PARTITIONS // 2, silent, waiting)
    await owning(PARTITIONS // 2, waiting, silent)
    assert len(silent.in_stage(Stage.FRESH)) == PARTITIONS // 2
    assert set(silent.owned).isdisjoint(waiting.owned)


@pytest.mark.alone
async def test_two_members_share_and_who_leaves_gives_its_partitions_away_at_once(desk: Desk) -> None:
    first = desk.input(0)
    await owning(PARTITIONS, first)
    start_fresh(first)
    second = desk.input(1)
    await owning(PARTITIONS // 2, second, first)
    await owning(PARTITIONS // 2, first, second)
    assert set(first.owned).isdisjoint(second.owned)
    assert len(desk.revoked) == PARTITIONS // 2
    left = time.monotonic()
    await first.close()
    desk.inputs.remove(first)
    await owning(PARTITIONS, second)
    assert time.monotonic() - left < 4, "sooner than the session of a dead member ends"


async def test_a_suspended_or_held_partition_goes_on_where_it_was(desk: Desk) -> None:
    await desk.write(await desk.transactions(), desk.records(100))
    transport_input = desk.input()
    first = await desk.read(30, transport_input, most=30)
    transport_input.suspend()
    source = InputPartition(desk.topic, 0)
    await asyncio.sleep(0)
    assert transport_input.collect(100, 1_000_000) == []
    second = await desk.read(30, transport_input, most=30)
    transport_input.hold(source)
    assert transport_input.collect(100, 1_000_000) == []
    transport_input.suspend()
    transport_input.release(source)
    third = await desk.read(40, transport_input)
    assert [each.offset for each in (*first, *second, *third)] == list(range(100))


async def test_a_position_that_the_log_does_not_have_stops_the_instance(desk: Desk) -> None:
    await desk.write(await desk.transactions(), desk.records(10))
    transport_input = desk.input()
    await desk.read(10, transport_input)
    transport_input.suspend()
    transport_input.owned[InputPartition(desk.topic, 0)].position = 1_000
    start_fresh(transport_input)
    with pytest.raises(StopInstance) as told:
        await until(lambda: bool(transport_input.collect(10, 1_000_000)))
    assert told.value.code is ExitCode.POSITION_LOST


def write_with_header(kafka: dict[str, Any], topic: str, name: bytes) -> None:
    """One record ``v`` with a header that no Python client would write."""
    library = ctypes.CDLL(native_kafka.library_path())
    library.rd_kafka_conf_new.restype = library.rd_kafka_new.restype = ctypes.c_void_p
    text = ctypes.create_string_buffer(500)
    conf = ctypes.c_void_p(library.rd_kafka_conf_new())
    for setting, value in kafka.items():
        assert library.rd_kafka_conf_set(conf, setting.encode(), str(value).encode(), text, 500) == 0
    client = ctypes.c_void_p(library.rd_kafka_new(0, conf, text, 500))
    record = [1, topic.encode(), 3, 0, 4, b"v", ctypes.c_size_t(1)]  # topic, partition, value
    header = [9, name, b"1", ctypes.c_ssize_t(1), 0]
    assert library.rd_kafka_producev(client, *record, *header) == 0
    assert library.rd_kafka_flush(client, 20_000) == 0
    library.rd_kafka_destroy(client)


@pytest.mark.skipif(not compiled(), reason="the library is found by a compiled module")
async def test_a_header_whose_name_cannot_be_read_is_marked_and_the_record_goes_its_way(desk: Desk) -> None:
    write_with_header(desk.kafka, desk.topic, b"\xff\xfe")
    found = await desk.read(1, desk.input())
    assert found[0].value == b"v"
    assert found[0].headers == ((UNREADABLE_HEADERS, b""),)


async def test_a_null_header_value_is_read_as_empty(desk: Desk) -> None:
    producer = Producer(desk.kafka)
    producer.produce(
        desk.topic, b"v", partition=0, headers=[("null", None), ("twice", b"1"), ("twice", b"2")]
    )
    assert producer.flush(20) == 0
    found = await desk.read(1, desk.input())
    assert found[0].headers == (("null", b""), ("twice", b"1"), ("twice", b"2"))
