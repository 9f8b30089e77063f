"""The envelope of direct publishing, read back as changes."""

import io
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest

from producers.publication import DELETE, UPSERT, change_from_publication, publication, publication_schema
from topics.event import Change, Operation, Stopped, StopReason

ITEMS = {"type": "record", "name": "Permit", "fields": [{"name": "id", "type": "string"}]}


def through_avro(value: dict[str, Any]) -> dict[str, Any]:
    schema, buffer = fastavro.parse_schema(publication_schema(ITEMS)), io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, value)
    buffer.seek(0)
    decoded: Any = fastavro.schemaless_reader(buffer, schema, None)
    assert isinstance(decoded, dict)
    return decoded


def test_an_upsert_is_an_update_whose_state_before_is_not_known() -> None:
    value = through_avro(publication({"id": "a"}, UPSERT, 5, 1_700_000_000_123, "110101200001010010"))
    found = change_from_publication(value, ("id",), 2, 3, 9)
    assert isinstance(found, Change)
    assert (found.operation, found.before, found.after) == (Operation.UPDATE, None, {"id": "a"})
    assert (found.record_id, found.previous_identity) == ("a", "110101200001010010")
    assert found.source_time_ms == 1_700_000_000_123
    position = found.position
    assert (position.generation, position.incarnation, position.commit, position.ordinal) == (3, 2, 5, 9)


def test_a_delete_holds_the_last_known_state() -> None:
    found = change_from_publication(
        through_avro(publication({"id": "a"}, DELETE, 6, 0, None)), ("id",), 1, 0, 0
    )
    assert isinstance(found, Change)
    assert (found.operation, found.before, found.after) == (Operation.DELETE, {"id": "a"}, None)
    assert found.row == {"id": "a"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "patch"}, StopReason.UNKNOWN_OPERATION),
        ({"record": None}, StopReason.ITEM_MISSING),
        ({"record": {"id": None}}, StopReason.NO_RECORD_ID),
        ({"version": None}, StopReason.NO_POSITION),
        ({"version": -1}, StopReason.NO_POSITION),
        ({"version": True}, StopReason.NO_POSITION),
        ({"occurred": None}, StopReason.NO_POSITION),
    ],
)
def test_what_cannot_be_read_is_stopped_with_its_reason(change: dict[str, Any], reason: StopReason) -> None:
    value = {**publication({"id": "a"}, UPSERT, 0, 0, None), **change}
    found = change_from_publication(value, ("id",), 1, 0, 0)
    assert isinstance(found, Stopped)
    assert found.reason is reason


def test_the_time_may_be_a_moment_or_milliseconds() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for occurred in (moment, 1_767_225_600_000):
        value = {**publication({"id": "a"}, UPSERT, 0, 0, None), "occurred": occurred}
        found = change_from_publication(value, ("id",), 1, 0, 0)
        assert isinstance(found, Change)
        assert found.source_time_ms == 1_767_225_600_000
