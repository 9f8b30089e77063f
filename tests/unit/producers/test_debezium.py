"""Envelopes that a real connector produced (fixtures/envelopes.json), read as changes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.debezium import (
    UNAVAILABLE,
    change_from_envelope,
    commit_position,
    incarnation_of,
    is_unavailable,
    record_id_of,
)
from topics.event import Change, ControlReason, Operation, Stopped, StopReason

PERSON, KEYED = ("id",), ("id_number",)


def _bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            bytes.fromhex(value["$bytes"])
            if set(value) == {"$bytes"}
            else {name: _bytes(part) for name, part in value.items()}
        )
    return [_bytes(part) for part in value] if isinstance(value, list) else value


RECORDS: Mapping[str, Any] = _bytes(
    json.loads((Path(__file__).parent / "fixtures" / "envelopes.json").read_text(encoding="utf-8"))
)


def read(name: str, primary_key: tuple[str, ...] = PERSON) -> Change | Stopped | ControlReason:
    record = RECORDS[name]
    headers = tuple((header, text.encode()) for header, text in record["headers"].items())
    incarnation = incarnation_of(headers)
    assert incarnation == 3
    return change_from_envelope(record["key"], record["value"], primary_key, incarnation, 2, record["offset"])


def change(name: str, primary_key: tuple[str, ...] = PERSON) -> Change:
    found = read(name, primary_key)
    assert isinstance(found, Change), found
    return found


@pytest.mark.parametrize(
    ("name", "operation", "record_id", "before", "after"),
    [
        ("person-r-0", Operation.READ, "1", None, "甲"),
        ("person-c-0", Operation.CREATE, "2", None, "乙"),
        ("person-u-0", Operation.UPDATE, "2", "乙", "丙"),
        ("person-d-0", Operation.DELETE, "2", "丙", None),
        ("person-c-1", Operation.CREATE, "3", None, "丙"),
        ("person-d-1", Operation.DELETE, "3", "丙", None),
    ],
)
def test_each_operation_becomes_a_change_with_its_rows(
    name: str, operation: Operation, record_id: str, before: str | None, after: str | None
) -> None:
    found = change(name)
    assert (found.operation, found.record_id) == (operation, record_id)
    assert (found.before["name"] if found.before else None) == before
    assert (found.after["name"] if found.after else None) == after
    assert found.source_time_ms == RECORDS[name]["value"]["source"]["ts_ms"]
    assert (found.position.generation, found.position.incarnation) == (2, 3)
    assert found.position.ordinal == RECORDS[name]["offset"]


def test_a_changed_primary_key_is_a_delete_of_the_old_and_a_create_of_the_new() -> None:
    old, new = change("keyed-d-0", KEYED), change("keyed-c-1", KEYED)
    assert (old.operation, old.record_id) == (Operation.DELETE, "k2")
    assert (new.operation, new.record_id) == (Operation.CREATE, "k3")


def test_truncate_tombstone_and_message_are_control_records() -> None:
    assert read("person-t-0") is ControlReason.TRUNCATE
    assert change_from_envelope({"id": 1}, None, PERSON, 1, 0, 0) is ControlReason.TOMBSTONE
    assert change_from_envelope({"prefix": "x"}, {"op": "m"}, PERSON, 1, 0, 0) is ControlReason.MESSAGE


def test_positions_of_a_table_rise_in_the_order_of_its_records() -> None:
    names = [name for name in RECORDS if name.startswith("person-") and name != "person-t-0"]
    positions = [change(name).position for name in sorted(names, key=lambda name: RECORDS[name]["offset"])]
    assert positions == sorted(positions)
    assert len(set(positions)) == len(positions)


def test_the_first_snapshot_stands_before_all_that_streams() -> None:
    assert change("person-r-0").position.commit == 0


def test_a_row_read_by_a_signalled_snapshot_stands_at_the_last_commit() -> None:
    found = change("keyed-r-0", KEYED)
    assert RECORDS["keyed-r-0"]["value"]["source"]["lsn"] is None
    assert found.position.commit >= change("keyed-c-2", KEYED).position.commit


@pytest.mark.parametrize(
    ("source", "operation", "expected"),
    [
        ({"sequence": '["10","20"]', "lsn": 20}, Operation.UPDATE, 10),
        ({"sequence": '["10","20"]', "lsn": None}, Operation.READ, 10),
        ({"sequence": '[null,"20"]', "lsn": 20}, Operation.READ, 0),
        ({"sequence": '[null,"20"]', "lsn": 20}, Operation.UPDATE, 20),
        ({"sequence": '[null,"20"]'}, Operation.UPDATE, 20),
        ({"sequence": None, "lsn": 7}, Operation.UPDATE, 7),
        ({"sequence": "not json", "lsn": 7}, Operation.UPDATE, 7),
        ({"sequence": '["-1","x"]'}, Operation.UPDATE, None),
        ({"lsn": -1}, Operation.UPDATE, None),
        ({"lsn": True}, Operation.UPDATE, None),
        ({}, Operation.DELETE, None),
    ],
)
def test_commit_position(source: dict[str, Any], operation: Operation, expected: int | None) -> None:
    assert commit_position(source, operation) == expected


def test_placeholders_of_unsent_large_values_are_recognised_in_every_form() -> None:
    row = change("person-u-1").after
    assert row is not None
    assert {name for name, value in row.items() if is_unavailable(value)} == {"big", "tags", "raw"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (UNAVAILABLE, True),
        (UNAVAILABLE.encode(), True),
        ([UNAVAILABLE], True),
        (list(UNAVAILABLE.encode()), True),
        ({UNAVAILABLE: UNAVAILABLE}, True),
        (UNAVAILABLE + "x", False),
        ("x" + UNAVAILABLE, False),
        ([UNAVAILABLE, "a"], False),
        ([*UNAVAILABLE.encode()][:-1], False),
        ([], False),
        ({}, False),
        ("", False),
        (None, False),
        (0, False),
    ],
)
def test_is_unavailable(value: object, expected: bool) -> None:
    assert is_unavailable(value) is expected


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        ({"op": "x"}, StopReason.UNKNOWN_OPERATION),
        ({"op": None}, StopReason.UNKNOWN_OPERATION),
        ({"op": ["c"]}, StopReason.UNKNOWN_OPERATION),
        ({}, StopReason.UNKNOWN_OPERATION),
        ({"op": "d", "before": None}, StopReason.PREVIOUS_STATE_MISSING),
        ({"op": "u", "after": None}, StopReason.ITEM_MISSING),
        ({"op": "c", "after": {"id": 1}}, StopReason.NO_POSITION),
        ({"op": "c", "after": {"id": 1}, "source": {"lsn": 1}}, StopReason.NO_POSITION),
        # Parts that are no rows: what another schema may bring to the topic.
        ({"op": "d", "before": "a row"}, StopReason.PREVIOUS_STATE_MISSING),
        ({"op": "u", "after": 7}, StopReason.ITEM_MISSING),
        ({"op": "c", "after": {"id": 1}, "source": ["lsn"]}, StopReason.NO_POSITION),
    ],
)
def test_what_cannot_be_read_is_stopped_with_its_reason(envelope: dict[str, Any], reason: StopReason) -> None:
    found = change_from_envelope({"id": 1}, envelope, PERSON, 1, 0, 0)
    assert isinstance(found, Stopped)
    assert found.reason is reason


@pytest.mark.parametrize("key", [None, {}, {"id": None}, {"other": 1}, {"id": 1.5}])
def test_a_record_without_its_record_id_is_stopped(key: dict[str, Any] | None) -> None:
    found = change_from_envelope(key, {"op": "c", "after": {}}, PERSON, 1, 0, 0)
    assert isinstance(found, Stopped)
    assert found.reason is StopReason.NO_RECORD_ID


def test_a_record_id_of_several_parts_is_a_json_array_in_declared_order() -> None:
    assert record_id_of({"b": 2, "a": "一"}, ("a", "b")) == '["一","2"]'
    assert record_id_of({"a": "x"}, ("a", "b")) is None
    assert record_id_of({}, ()) is None


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_keys_never_share_a_record_id(left: tuple[str, str], right: tuple[str, str]) -> None:
    ids = [record_id_of(dict(zip("ab", values, strict=True)), ("a", "b")) for values in (left, right)]
    assert (ids[0] == ids[1]) == (left == right)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"7", 7), (b"12", 12), (b"", None), (b"-1", None), (b"1.0", None), (b"\xff", None), (b"9" * 19, None)],
)
def test_the_incarnation_is_read_from_plain_digits(value: bytes, expected: int | None) -> None:
    assert incarnation_of((("govbus.incarnation", value),)) == expected
    assert incarnation_of(()) is None


def test_no_header_of_a_captured_record_holds_a_key() -> None:
    assert {name for record in RECORDS.values() for name in record["headers"]} == {"govbus.incarnation"}
