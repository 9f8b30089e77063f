"""The auditor's reader and the operator's writer on a real broker: committed records only, all or nothing."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclOperation,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from services.ledger.counts import Place
from services.ledger.reader import (
    Bounds,
    KafkaTopicReader,
    KafkaUnavailable,
    ReadRefused,
    TopicMissing,
    in_order,
    read_whole,
)
from services.ledger.writer import KafkaRecordWriter, WriteRefused
from services.stack.acls import allow
from services.stack.api import Stack
from tests.support.waiting import eventually
from topics.event import OutputRecord, TopicName

pytestmark = pytest.mark.stack

Topic = Callable[[], TopicName]


@pytest.fixture
def topic(stack: Stack) -> Topic:
    """Make a topic of two partitions that the auditor may read."""

    def make() -> TopicName:
        name = f"audit-test-{uuid.uuid4().hex[:8]}"
        admin = stack.admin()
        for future in admin.create_topics([NewTopic(name, 2, 1)]).values():
            future.result(15)
        rights = allow("ledger", ResourceType.TOPIC, name, [AclOperation.READ, AclOperation.DESCRIBE])
        rights += allow(
            "ledger", ResourceType.GROUP, "ledger.", [AclOperation.READ], ResourcePatternType.PREFIXED
        )
        for future in admin.create_acls(rights).values():
            future.result(15)
        return TopicName(name)

    return make


@pytest.fixture
def reader(stack: Stack) -> Iterator[KafkaTopicReader]:
    with KafkaTopicReader(stack.kafka_config("ledger"), "ledger.test", 15.0) as found:
        yield found


awaited = partial(eventually, seconds=15.0)


def transaction(stack: Stack, topic: str, values: list[bytes | None], *, commit: bool) -> None:
    producer = Producer({**stack.kafka_config("admin"), "transactional.id": f"test.{uuid.uuid4().hex}"})
    producer.init_transactions(15)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, key=b"k", value=value, partition=0, headers=[("name", b"text")])
    producer.flush(15)
    if commit:
        producer.commit_transaction(15)
    else:
        producer.abort_transaction(15)


def test_reader_sees_committed_records_only_and_ends_at_the_known_end(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    transaction(stack, name, [b"1", b"2", None], commit=True)
    transaction(stack, name, [b"lost"], commit=False)
    transaction(stack, name, [b"3"], commit=True)
    place = Place(name, 0)
    awaited(lambda: reader.bounds(place).end == 8)
    bounds = reader.bounds(place)
    records = list(reader.read(place, bounds.low, bounds.end))
    assert [record.value for record in records] == [b"1", b"2", None, b"3"]
    assert [record.offset for record in records] == [0, 1, 2, 6]
    assert records[0].headers == (("name", b"text"),)
    assert bounds == (0, 8)
    assert [record.offset for record in reader.read(place, 1, 3)] == [1, 2]
    assert list(reader.read(place, 4, 6)) == []
    assert list(reader.read(Place(name, 1), 0, 0)) == []


def test_open_transaction_holds_the_stable_end_back(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    transaction(stack, name, [b"1"], commit=True)
    producer = Producer({**stack.kafka_config("admin"), "transactional.id": f"test.{uuid.uuid4().hex}"})
    place = Place(name, 0)
    awaited(lambda: reader.bounds(place).end == 2)
    producer.init_transactions(15)
    producer.begin_transaction()
    producer.produce(name, value=b"open", partition=0)
    producer.flush(15)
    assert (reader.bounds(place).end, reader.highs_of([place])) == (2, {place: 3})
    producer.commit_transaction(15)
    # The commit is decided; its marker reaches the partition a moment later.
    awaited(lambda: reader.bounds(place).end == 4)
    assert reader.highs_of([place]) == {place: 4}


def test_many_partitions_are_read_at_once_each_in_order_and_to_its_own_end(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    names = [topic() for _ in range(3)]
    for name in names:
        transaction(stack, name, [b"1", b"2", b"3"], commit=True)
    places = [place for name in names for place in reader.places(name)]
    full = [place for place in places if place.partition == 0]
    awaited(lambda: all(reader.bounds_of(full)[place].end == 4 for place in full))
    assert reader.bounds_of(places) == {
        place: Bounds(0, 4 if place.partition == 0 else 0) for place in places
    }
    ranges = {**reader.bounds_of(places), full[0]: Bounds(1, 2)}
    found: dict[str, list[bytes | None]] = {}
    for record in reader.read_all(ranges):
        found.setdefault(record.topic, []).append(record.value)
    assert found == {names[0]: [b"2"], names[1]: [b"1", b"2", b"3"], names[2]: [b"1", b"2", b"3"]}
    assert [record.topic for record in in_order(read_whole(reader, *names))] == sorted(names * 3)


def test_what_is_written_beyond_the_known_end_is_not_read(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    transaction(stack, name, [b"1"], commit=True)
    place = Place(name, 0)
    awaited(lambda: reader.bounds(place).end == 2)
    known = reader.bounds_of([place])
    transaction(stack, name, [b"2"], commit=True)
    assert [record.value for record in reader.read_all(known)] == [b"1"]


def test_search_by_time_finds_the_first_record_not_before_it(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    transaction(stack, name, [b"1"], commit=True)
    place = Place(name, 0)
    awaited(lambda: reader.bounds(place).end == 2)
    [record] = reader.read(place, 0, 1)
    assert reader.offset_at(place, record.timestamp_ms) == 0
    assert reader.offset_at(place, record.timestamp_ms + 3_600_000) == reader.bounds(place).end


def test_following_hands_out_records_as_they_come(
    stack: Stack, topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    transaction(stack, name, [b"1", b"2"], commit=True)
    followed = reader.follow({Place(name, 0): 0, Place(name, 1): 0}, lambda: False)
    assert [record.value for record in islice(followed, 2)] == [b"1", b"2"]
    transaction(stack, name, [b"3"], commit=True)
    assert next(followed).value == b"3"


def test_topics_and_partitions_are_listed_and_a_missing_one_has_none(
    topic: Topic, reader: KafkaTopicReader
) -> None:
    name = topic()
    assert name in reader.topics()
    assert reader.places(name) == [Place(name, 0), Place(name, 1)]
    assert reader.places(TopicName("audit-test-missing")) == []


@pytest.mark.parametrize(("describes", "error"), [(True, ReadRefused), (False, TopicMissing)])
def test_reader_without_the_right_is_told_so_by_name(
    stack: Stack, topic: Topic, describes: bool, error: type[Exception]
) -> None:
    """Kafka hides a topic from those who may not even know of it."""
    name = topic()
    transaction(stack, name, [b"1"], commit=True)
    if describes:
        admin = stack.admin()
        rights = allow("replay", ResourceType.TOPIC, name, [AclOperation.DESCRIBE])
        for future in admin.create_acls(rights).values():
            future.result(15)
    with (
        KafkaTopicReader(stack.kafka_config("replay"), "replay.test", 3.0) as stranger,
        pytest.raises(error),
    ):
        list(stranger.read(Place(name, 0), 0, 1))


def test_broker_that_does_not_answer_is_told_within_the_deadline(stack: Stack) -> None:
    config = {**stack.kafka_config("ledger"), "bootstrap.servers": "127.0.0.1:1"}
    with (
        KafkaTopicReader(config, "ledger.test", 2.0) as reader,
        pytest.raises(KafkaUnavailable),
    ):
        reader.topics()


def test_operator_writes_all_records_or_none(stack: Stack, topic: Topic, reader: KafkaTopicReader) -> None:
    name, headers = topic(), (("govbus_release", b"0"),)
    writer = KafkaRecordWriter(stack.kafka_config("admin"), f"operator.{uuid.uuid4().hex}", 15.0)
    offsets = writer.write([OutputRecord(name, 1, b"k", None, headers), OutputRecord(name, 0, b"k", b"v")])
    assert offsets == [0, 0]
    awaited(lambda: all(reader.bounds(place).end == 2 for place in reader.places(name)))
    [release] = reader.read(Place(name, 1), 0, reader.bounds(Place(name, 1)).end)
    assert (release.value, release.headers) == (None, headers)
    stranger = KafkaRecordWriter(stack.kafka_config("ledger"), f"operator.{uuid.uuid4().hex}", 15.0)
    with pytest.raises(WriteRefused):
        stranger.write([OutputRecord(name, 0, b"k", b"v")])
    assert len(list(reader.read(Place(name, 0), 0, reader.bounds(Place(name, 0)).end))) == 1
