"""What a provider's application may publish, and when a record counts as published."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from confluent_kafka import KafkaException

from producers.publication import publication_schema
from producers.publisher import NotAllPublished, PrepareTopic, Publisher, PublishResult, RecordRefused
from producers.upload import BadLine, Row, upload
from producers.validation import ItemProblem
from schemas.registry import RegistryCredentials, SchemaNotFound, SchemaRegistry
from topics.canonical import partition_of
from topics.event import SchemaId
from topics.resource import Resource
from topics.wire import split

NOW = 1_767_225_600_000
ITEMS: dict[str, Any] = {
    "type": "record",
    "name": "Permit",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "holder", "type": "string"},
        {"name": "title", "type": ["null", "string"], "default": None},
        {"name": "issued", "type": {"type": "int", "logicalType": "date"}},
    ],
}
RESOURCE = Resource.model_validate(
    {
        "code": "1-01-3205/000009",
        "domain": "licence",
        "name": "permit",
        "titles": {"zh": "许可", "en": "Permits"},
        "provider": "planning",
        "source": {"kind": "publish", "primary_key": ["id"]},
        "identity": {"kind": "resident_id", "item": "holder"},
        "items": [
            {"name": "id", "titles": {"zh": "号", "en": "Number"}},
            {"name": "holder", "titles": {"zh": "人", "en": "Holder"}, "conversion": "normalise"},
            {"name": "title", "titles": {"zh": "名", "en": "Title"}, "conversion": "trim"},
            {"name": "issued", "titles": {"zh": "日", "en": "Issued"}},
        ],
        "rules": [
            {"rule": "length", "item": "title", "max": 3},
            {"rule": "pattern", "item": "title", "pattern": "^[a-z]*$", "severity": "mark"},
        ],
        "avro_schema": "licence.permit.v1.avsc",
    }
)
GOOD = {"id": "p1", "holder": "11010519491231002X", "title": "abc", "issued": 1}
TOPIC = "raw.planning.publish.licence.permit"


class FakeRegistry(SchemaRegistry):
    """Knows one schema."""

    def __init__(self) -> None:
        super().__init__(RegistryCredentials("http://registry.invalid", "u", "p"))
        self.known = True
        self.items = ITEMS

    def latest(self, subject: str) -> tuple[SchemaId, dict[str, Any]]:
        if not self.known or subject != f"{TOPIC}-value":
            raise SchemaNotFound(subject)
        return SchemaId(77), publication_schema(self.items)


class FakeProducer:
    """Takes records; delivery reports come at flush or when the queue is full."""

    def __init__(self, partitions: int = 4) -> None:
        self.partitions = partitions
        self.sent: list[dict[str, Any]] = []
        self.fails: Callable[[int], bool] = lambda _number: False
        self.waiting: list[Callable[[], None]] = []
        self.full_once = False
        self.silent = False

    def produce(self, topic: str, **record: Any) -> None:
        if self.full_once:
            self.full_once = False
            raise BufferError
        number = len(self.sent)
        self.sent.append({"topic": topic, **record})
        error = "broker is away" if self.fails(number) else None
        self.waiting.append(lambda: record["on_delivery"](error, None))

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        waiting, self.waiting = self.waiting, []
        if not self.silent:
            for report in waiting:
                report()
        return 0

    def list_topics(self, topic: str, timeout: float) -> Any:
        found = SimpleNamespace(error=None, partitions=dict.fromkeys(range(self.partitions)))
        return SimpleNamespace(topics={topic: found} if self.partitions else {})


def published(sent: dict[str, Any]) -> dict[str, Any]:
    _, avro = split(sent["value"])
    value: Any = fastavro.schemaless_reader(io.BytesIO(avro), publication_schema(ITEMS), None)
    assert isinstance(value, dict)
    return value


def publisher(producer: FakeProducer, registry: FakeRegistry | None = None) -> Publisher:
    return Publisher(
        RESOURCE, {}, registry or FakeRegistry(), item_schema=ITEMS, producer=producer, now_ms=lambda: NOW
    )


def test_a_record_counts_as_published_only_after_its_delivery_report() -> None:
    producer = FakeProducer()
    with publisher(producer) as publishing:
        publishing.publish(GOOD, version=1)
        assert publishing.result() == PublishResult(0, (), 1)
    assert publishing.result() == PublishResult(1, (), 0)


def test_what_is_sent_is_framed_keyed_and_put_into_its_partition() -> None:
    producer = FakeProducer()
    with publisher(producer) as publishing:
        publishing.publish(GOOD, version=9, previous_identity="110101200001010010", occurred_ms=5)
        publishing.delete(GOOD, version=10)
    first, second = producer.sent
    assert (first["topic"], first["key"], first["partition"]) == (TOPIC, b"p1", partition_of("p1", 4))
    assert first["partition"] == second["partition"]
    schema_id, avro = split(first["value"])
    value: Any = fastavro.schemaless_reader(io.BytesIO(avro), publication_schema(ITEMS), None)
    assert schema_id == 77
    assert (value["version"], value["operation"], value["previous_identity"]) == (
        9,
        "upsert",
        "110101200001010010",
    )
    assert value["record"]["holder"] == "11010519491231002X"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"id": 5}, [ItemProblem("id", "is not string")]),
        ({"issued": "x"}, [ItemProblem("issued", "is not date")]),
        ({"title": 1}, [ItemProblem("title", "is not string or null")]),
        ({"colour": "x"}, [ItemProblem("colour", "the resource has no such item")]),
        ({"holder": "110105194912310021"}, [ItemProblem("holder", "is not a resident_id: CHECK_DIGIT")]),
        (
            {"id": 5, "issued": None},
            [ItemProblem("id", "is not string"), ItemProblem("issued", "is not date")],
        ),
    ],
)
def test_each_wrong_item_is_named_and_nothing_is_sent(
    change: dict[str, Any], problems: list[ItemProblem]
) -> None:
    producer = FakeProducer()
    with publisher(producer) as publishing, pytest.raises(RecordRefused) as caught:
        publishing.publish({**GOOD, **change}, version=1)
    assert list(caught.value.problems) == problems
    assert producer.sent == []


def test_a_missing_item_is_named() -> None:
    with publisher(FakeProducer()) as publishing, pytest.raises(RecordRefused) as caught:
        publishing.publish({"id": "p1", "holder": "11010519491231002X"}, version=1)
    assert list(caught.value.problems) == [ItemProblem("issued", "is missing")]


def test_stopping_rules_refuse_marking_rules_do_not_and_conversions_count() -> None:
    producer = FakeProducer()
    with publisher(producer) as publishing:
        with pytest.raises(RecordRefused, match="title: TOO_LONG"):
            publishing.publish({**GOOD, "title": "abcd"}, version=1)
        publishing.publish({**GOOD, "title": "  abc  "}, version=1)
        publishing.publish({**GOOD, "title": "ABC"}, version=2)
        publishing.delete({**GOOD, "title": "abcd"}, version=3)
    assert len(producer.sent) == 3


def test_no_problem_repeats_a_value() -> None:
    secret = "11010519491231002Y"
    with publisher(FakeProducer()) as publishing, pytest.raises(RecordRefused) as caught:
        publishing.publish({**GOOD, "holder": secret}, version=1)
    assert secret not in str(caught.value)


def test_failed_and_unconfirmed_records_are_told_at_the_end() -> None:
    producer = FakeProducer()
    producer.fails = lambda number: number == 1
    publishing = publisher(producer)
    for number in range(3):
        publishing.publish({**GOOD, "id": f"p{number}"}, version=1, reference=number)
    with pytest.raises(NotAllPublished) as caught:
        publishing.close()
    assert caught.value.result.published == 2
    assert [failure.reference for failure in caught.value.result.failures] == [1]


def test_a_record_without_a_delivery_report_is_not_published() -> None:
    producer = FakeProducer()
    producer.silent = True
    publishing = publisher(producer)
    publishing.publish(GOOD, version=1)
    with pytest.raises(NotAllPublished, match="1 are not yet confirmed"):
        publishing.close()


def test_a_producer_that_is_broken_takes_nothing_and_says_why() -> None:
    producer = FakeProducer()

    def broken(timeout: float) -> int:
        raise KafkaException("no right")

    producer.poll = broken  # type: ignore[method-assign]
    publishing = publisher(producer)
    publishing.publish(GOOD, version=1)
    publishing.publish(GOOD, version=2, reference="second")
    with pytest.raises(NotAllPublished, match="no right") as caught:
        publishing.close()
    assert len(producer.sent) == 1
    assert [failure.reference for failure in caught.value.result.failures] == ["second"]


def test_a_full_queue_is_waited_for() -> None:
    producer = FakeProducer()
    producer.full_once = True
    with publisher(producer) as publishing:
        publishing.publish(GOOD, version=1)
    assert len(producer.sent) == 1


@pytest.mark.parametrize("partitions", [0, 3, 5])
def test_a_topic_that_is_not_as_declared_stops_the_publisher(partitions: int) -> None:
    with pytest.raises(PrepareTopic, match=f"has {partitions} partitions, 4 are declared"):
        publisher(FakeProducer(partitions)).open()


def test_an_unregistered_schema_stops_the_publisher() -> None:
    registry = FakeRegistry()
    registry.known = False
    with pytest.raises(SchemaNotFound):
        publisher(FakeProducer(), registry).open()


def test_another_schema_than_the_registered_one_stops_the_publisher() -> None:
    registry = FakeRegistry()
    registry.items = {**ITEMS, "fields": ITEMS["fields"][:2]}
    with pytest.raises(PrepareTopic, match="registered schema"):
        publisher(FakeProducer(), registry).open()


def test_a_captured_resource_cannot_be_published() -> None:
    declared = RESOURCE.model_dump(mode="json", by_alias=True)
    declared["source"] = {"kind": "capture", "table": "permit", "primary_key": ["id"]}
    captured = Resource.model_validate(declared)
    with pytest.raises(PrepareTopic, match="captured"):
        Publisher(captured, {}, FakeRegistry(), item_schema=ITEMS, producer=FakeProducer())


@pytest.mark.requirement("A4-06")
def test_an_upload_publishes_the_good_rows_and_reports_the_others() -> None:
    producer = FakeProducer()
    producer.fails = lambda number: number == 1
    refused: list[BadLine] = []
    reached: list[int] = []
    rows: list[Row | BadLine] = [
        Row(1, GOOD),
        BadLine(2, (ItemProblem("", "is not JSON"),)),
        Row(3, {**GOOD, "id": "p3"}, version=8),
        Row(4, {**GOOD, "holder": None}),
        Row(5, GOOD, "delete"),
    ]
    publishing = publisher(producer)
    result = upload(publishing, rows, 5, refused.append, reached.append)
    assert result.published == 2
    assert [bad.line for bad in refused] == [2, 4, 3]
    assert reached == [1, 2, 3, 4, 5]
    assert [published(each)["version"] for each in producer.sent] == [5, 8, 5]
