"""Lanes: bytes in one piece and ready records are the same sequence with the same digest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.engine import native
from topics.engine.lane_book import WrittenLanes
from topics.engine.lanes import RecordLane, headers_form, headers_from_form, into_lanes
from topics.engine.records import PartitionRecords
from topics.event import KafkaRecord, OutputRecord, TopicName

TOPIC = TopicName("sub.a.b")
HEADERS = st.lists(st.tuples(st.text("abc_", min_size=1), st.binary(max_size=20)), max_size=4).map(tuple)
OUTPUTS = st.builds(
    OutputRecord,
    topic=st.just(TOPIC),
    partition=st.just(3),
    key=st.none() | st.binary(max_size=30),
    value=st.none() | st.binary(max_size=300),
    headers=HEADERS,
)
COUNTS = st.integers(0, 2**62)
BYTES = st.none() | st.binary() | st.binary(min_size=1).map(lambda tail: bytes(4) + tail)
INPUTS = st.builds(KafkaRecord, st.just(TOPIC), st.just(1), COUNTS, COUNTS, BYTES, BYTES, HEADERS)
needs_native = pytest.mark.skipif(not native.compiled(), reason="no compiled lanes here")


@given(HEADERS)
def test_headers_come_back_from_their_form(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert headers_from_form(headers_form(headers)) == headers


def test_records_keep_their_order_within_a_lane() -> None:
    records = [OutputRecord(TOPIC, number % 2, None, bytes([number])) for number in range(6)]
    lanes = into_lanes(records)
    assert [[record.value for record in lane] for lane in lanes] == [
        [b"\0", b"\2", b"\4"],
        [b"\1", b"\3", b"\5"],
    ]


def test_what_replay_need_not_reproduce_is_not_in_the_digest() -> None:
    bare = RecordLane(TOPIC, 0, [OutputRecord(TOPIC, 0, b"k", b"v")])
    traced = RecordLane(TOPIC, 0, [OutputRecord(TOPIC, 0, b"k", b"v", (("traceparent", b"00-1"),))])
    other = RecordLane(TOPIC, 0, [OutputRecord(TOPIC, 0, b"k", b"v", (("ce_id", b"1"),))])
    assert bare.digest() == traced.digest() != other.digest()


@needs_native
@given(st.lists(OUTPUTS, max_size=100))
def test_a_lane_of_bytes_is_the_lane_of_its_records(records: list[OutputRecord]) -> None:
    lane = native.module("topics.engine.native_batch").ByteLane(TOPIC, 3)
    for record in records:
        lane.append(record)
    assert list(lane) == records
    assert len(lane) == len(records)
    assert lane.digest() == RecordLane(TOPIC, 3, records).digest()


@given(st.lists(st.lists(OUTPUTS, min_size=1, max_size=10), max_size=5))
def test_lanes_that_come_one_after_another_are_digested_as_one(parts: list[list[OutputRecord]]) -> None:
    book = WrittenLanes()
    for part in parts:
        book.add([RecordLane(TOPIC, 3, part)])
    together = [record for part in parts for record in part]
    expected = [(TOPIC, 3, len(together), RecordLane(TOPIC, 3, together).digest())] if parts else []
    assert book.written() == expected


@needs_native
@given(st.lists(INPUTS))
def test_records_in_bytes_are_the_records_that_were_put_in(records: list[KafkaRecord]) -> None:
    found = native.module("topics.engine.native_batch").NativeRecords.from_records(TOPIC, 1, records)
    assert list(found) == records
    assert [found[index] for index in range(len(found))] == records
    assert found.schema_ids() == PartitionRecords(TOPIC, 1, records).schema_ids()
