"""The disputes that an instance knows: whole before it begins, in order, no reason to stand still."""

from typing import Any

from confluent_kafka import KafkaError

from schemas.load import control_schema
from schemas.registry import RegistryUnavailable, SchemaNotFound
from services.processor.disputes_reader import DisputesReader
from services.processor.schema_source import SchemaSource
from tests.support.tickets import contested
from tests.unit.processor.test_policy_reader import END, Message, Topic
from topics.disputes import Act, DisputeChange, change_record
from topics.engine.reference import ReferenceCodec
from topics.event import SchemaId
from topics.wire import frame

SCHEMA_ID = SchemaId(11)
CODEC = ReferenceCodec(control_schema("DisputeChange"))


class Registry:
    """Knows the schema of changes; may be down."""

    down = False

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        if self.down:
            raise RegistryUnavailable("down")
        if schema_id != SCHEMA_ID:
            raise SchemaNotFound(str(schema_id))
        return control_schema("DisputeChange")


def opened(number: int, dispute: str, schema_id: SchemaId = SCHEMA_ID) -> Message:
    change = DisputeChange(number, Act.OPEN, dispute, contested("address"))
    return Message(frame(schema_id, CODEC.encode(change_record(change))), offset=number - 1)


def closed(number: int, dispute: str) -> Message:
    change = DisputeChange(number, Act.CLOSE, dispute)
    return Message(frame(SCHEMA_ID, CODEC.encode(change_record(change))), offset=number - 1)


def reader_of(topic: Topic, registry: Registry | None = None) -> DisputesReader:
    make: Any = lambda: topic  # noqa: E731
    return DisputesReader(make, SchemaSource(registry or Registry()))


def state(reader: DisputesReader) -> tuple[bool, str | None, str | None]:
    return reader.caught_up, reader.problem, reader.refused


async def test_the_topic_is_read_to_its_end_and_its_changes_are_folded() -> None:
    topic = Topic(opened(1, "a"), opened(2, "b"))
    reader = reader_of(topic)
    await reader.step()
    assert state(reader) == (False, "the topic of disputes is not read to its end yet", None)
    topic.waiting = [closed(3, "a"), END]
    await reader.step()
    assert state(reader) == (True, None, None)
    assert (reader.newest.number, set(reader.newest.open)) == (3, {"b"})
    await reader.close()
    assert topic.closed


async def test_an_empty_topic_is_read_to_its_end_at_once() -> None:
    reader = reader_of(Topic(END))
    await reader.step()
    assert (reader.caught_up, reader.problem, reader.newest.number) == (True, None, 0)


async def test_disputes_that_were_handed_out_do_not_change_any_more() -> None:
    topic = Topic(opened(1, "a"), END)
    reader = reader_of(topic)
    await reader.step()
    first = reader.newest
    topic.waiting = [closed(2, "a"), END]
    await reader.step()
    assert (first.number, set(first.open)) == (1, {"a"})
    assert (reader.newest.number, set(reader.newest.open)) == (2, set())


async def test_what_does_not_follow_or_cannot_be_read_is_passed_over_and_the_next_that_follows_is_taken() -> (
    None
):
    broken = [
        Message(b"not framed"),
        Message(None),
        Message(frame(SCHEMA_ID, b"\xff")),
        opened(2, "b", SchemaId(77)),
        opened(3, "c"),
    ]
    for each in broken:
        topic = Topic(opened(1, "a"), each, END)
        reader = reader_of(topic)
        await reader.step()
        assert (reader.newest.number, state(reader)[2] is not None) == (1, True)
        topic.waiting = [opened(2, "b"), END]
        await reader.step()
        assert state(reader) == (True, None, None)
        assert (reader.newest.number, set(reader.newest.open)) == (2, {"a", "b"})


async def test_while_the_registry_is_down_a_change_waits_and_is_taken_afterwards() -> None:
    registry = Registry()
    registry.down = True
    reader = reader_of(Topic(opened(1, "a"), END), registry)
    await reader.step()
    assert (reader.caught_up, reader.newest.number) == (False, 0)
    assert reader.problem is not None
    assert "schema registry" in reader.problem
    registry.down = False
    await reader.step()
    assert (reader.caught_up, reader.newest.number, reader.refused) == (True, 1, None)


async def test_an_error_of_the_broker_is_told_while_the_topic_is_not_read() -> None:
    reader = reader_of(Topic(Message(code=KafkaError.TOPIC_AUTHORIZATION_FAILED)))
    await reader.step()
    assert reader.problem == "topic disputes: TOPIC_AUTHORIZATION_FAILED"
