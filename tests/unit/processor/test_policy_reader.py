"""The newest policy: versions only rise, and what cannot be read closes the processor until a higher one."""

import io
from collections.abc import Mapping
from typing import Any

import fastavro
import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas.load import control_schema
from schemas.registry import RegistryUnavailable, SchemaNotFound
from services.processor.policy_reader import PolicyReader, PolicyUnreadable, read_policy
from services.processor.schema_source import SchemaSource
from tests.support.policy import sample_policy
from topics.event import SchemaId
from topics.policy import Policy
from topics.wire import frame

SCHEMA_ID = SchemaId(8)


def body(policy: Policy, **changed: Any) -> bytes:
    """The Avro bytes of a policy record, some of its fields changed."""
    content = {
        "version": policy.version,
        "issued_ms": policy.issued_ms,
        "digest": policy.digest(),
        "document": policy.model_dump_json(by_alias=True),
        **changed,
    }
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(control_schema("PolicyVersion")), content)
    return written.getvalue()


def record(number: int, **changed: Any) -> bytes:
    return frame(SCHEMA_ID, body(sample_policy(number), **changed))


class Message:
    """A value, or the end of the partition, or an error."""

    def __init__(self, value: bytes | None = None, code: int | None = None, offset: int = 0) -> None:
        self._value, self._code, self._offset = value, code, offset

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes | None:
        return self._value

    def error(self) -> KafkaError | None:
        return None if self._code is None else KafkaError(self._code)


END = Message(code=KafkaError._PARTITION_EOF)


class Topic:
    """A consumer of the policy topic that gives what a test puts into it."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = list(messages)
        self.closed = False
        self.begun_at: list[int] = []

    def assign(self, parts: list[TopicPartition]) -> None:
        self.begun_at += [part.offset for part in parts]

    def get_watermark_offsets(self, _part: TopicPartition, **_: object) -> tuple[int, int]:
        return 0, 0

    def consume(self, _count: int, _seconds: float) -> list[Message]:
        found, self.waiting = self.waiting, []
        return found

    def close(self) -> None:
        self.closed = True


class Registry:
    """Knows the schema of policy records; may be down."""

    down = False

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        if self.down:
            raise RegistryUnavailable("down")
        if schema_id != SCHEMA_ID:
            raise SchemaNotFound(str(schema_id))
        return control_schema("PolicyVersion")


def reader_of(topic: Topic, registry: Registry | None = None) -> PolicyReader:
    make: Any = lambda: topic  # noqa: E731
    return PolicyReader(make, SchemaSource(registry or Registry()))


async def test_the_newest_version_counts_once_the_topic_is_read_to_its_end() -> None:
    topic = Topic(Message(record(1)), Message(record(2)))
    reader = reader_of(topic)
    await reader.step()
    assert not reader.caught_up
    topic.waiting = [END]
    await reader.step()
    assert reader.caught_up
    assert reader.newest is not None
    assert (reader.newest.version, reader.problem, reader.blocked) == (2, None, None)
    await reader.close()
    assert topic.closed


async def test_when_it_is_read_again_the_end_that_counts_is_the_one_that_the_broker_tells_from_then_on() -> (
    None
):
    topic = Topic(Message(record(1), offset=4), END)
    reader = reader_of(topic)
    await reader.step()
    assert reader.caught_up
    reader.read_again()
    assert not reader.caught_up
    assert topic.begun_at == [0, 5]
    topic.waiting = [Message(record(2), offset=6)]
    await reader.step()
    assert not reader.caught_up
    topic.waiting = [END]
    await reader.step()
    assert reader.caught_up
    assert reader.newest is not None
    assert reader.newest.version == 2


async def test_an_empty_topic_allows_nothing_and_says_so() -> None:
    reader = reader_of(Topic(END))
    await reader.step()
    assert reader.caught_up
    assert reader.problem is not None
    assert "empty" in reader.problem


@pytest.mark.parametrize(("first", "second", "kept"), [(2, 1, 2), (2, 2, 2), (2, 3, 3), (2, 9, 9)])
async def test_a_lower_version_is_refused_and_a_higher_one_taken(first: int, second: int, kept: int) -> None:
    reader = reader_of(Topic(Message(record(first)), Message(record(second)), END))
    await reader.step()
    assert reader.newest is not None
    assert (reader.newest.version, reader.blocked) == (kept, None)


async def test_one_number_with_two_contents_closes_the_processor() -> None:
    other = sample_policy(2).model_copy(update={"issued_ms": 5})
    reader = reader_of(Topic(Message(record(2)), Message(frame(SCHEMA_ID, body(other))), END))
    await reader.step()
    assert reader.blocked is not None
    assert "twice" in reader.blocked


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"not framed", "policy record"),
        (b"", "policy record"),
        (frame(SchemaId(77), b"x"), "knows no schema 77"),
        (frame(SCHEMA_ID, b"\xff"), "policy record"),
        (record(2, document="{}"), "policy document"),
        (record(2, digest="0" * 64), "digest"),
        (record(2, version=3), "announced as 3"),
    ],
)
async def test_an_unreadable_record_closes_the_processor_until_a_higher_version(
    value: bytes, why: str
) -> None:
    topic = Topic(Message(record(1)), Message(value), END)
    reader = reader_of(topic)
    await reader.step()
    assert reader.blocked is not None
    assert why in reader.blocked
    topic.waiting = [Message(record(1))]
    await reader.step()
    assert reader.blocked is not None, "what is known already opens nothing"
    topic.waiting = [Message(record(3))]
    await reader.step()
    assert reader.blocked is None
    assert reader.newest is not None
    assert reader.newest.version == 3


async def test_while_the_registry_is_down_the_record_waits_and_is_judged_afterwards() -> None:
    registry = Registry()
    registry.down = True
    reader = reader_of(Topic(Message(record(1)), END), registry)
    await reader.step()
    assert not reader.caught_up
    assert reader.problem is not None
    assert "schema registry" in reader.problem
    registry.down = False
    await reader.step()
    assert reader.caught_up
    assert reader.newest is not None


async def test_an_error_of_the_broker_is_told_while_the_topic_is_not_read() -> None:
    reader = reader_of(Topic(Message(code=KafkaError.TOPIC_AUTHORIZATION_FAILED)))
    await reader.step()
    assert reader.problem == "topic policy: TOPIC_AUTHORIZATION_FAILED"


def test_a_whole_record_is_read_back_as_it_was_written() -> None:
    schema: Mapping[str, Any] = control_schema("PolicyVersion")
    assert read_policy(body(sample_policy(4)), schema) == sample_policy(4)
    with pytest.raises(PolicyUnreadable):
        read_policy(body(sample_policy(4))[:-1], schema)
