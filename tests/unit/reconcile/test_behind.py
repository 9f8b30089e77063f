"""What lies behind the cut: raw records by their transaction, canonical records and stopped keys by them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gate.stopped import StoppedEntry
from services.ledger.counts import Place
from services.ledger.decode import Decoder
from services.reconcile.canonical import CanonicalReader, Delays
from services.reconcile.cut import Visibility
from services.reconcile.rows import RowForm, key_bytes
from services.reconcile.spill import NOTHING, Spill, State, read_range
from services.reconcile.stopped import StoppedRow, stopped_at_cut
from services.reconcile.values import CanonicalValues, Unreadable, split_key
from services.reconcile.window import Behind, find_behind
from tests.support.debezium import KEY_SCHEMA_ID, PERSON_TOPIC, raw_key
from tests.support.policy import CONTROL
from tests.unit.gate.line_cases import ID_A, PERSON, PLAN
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, RecordId, SchemaId, TopicName
from topics.wire import frame

ENVELOPE = SchemaId(60)
SOURCE = PLAN.sources[PERSON_TOPIC]
_ROW = {"type": "record", "name": "Value", "fields": [{"name": "id", "type": "long"}]}
_ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "fields": [
        {"name": "after", "type": ["null", _ROW]},
        {
            "name": "source",
            "type": {
                "type": "record",
                "name": "Source",
                "fields": [{"name": "txId", "type": ["null", "long"]}],
            },
        },
        {"name": "op", "type": "string"},
    ],
}
_STOPPED = PLAN.control.stopped_key
_SCHEMAS: Mapping[int, Any] = {
    ENVELOPE: _ENVELOPE,
    KEY_SCHEMA_ID: {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]},
}


class Schemas:
    def schema(self, schema_id: SchemaId) -> Mapping[str, Any]:
        if schema_id == CONTROL.stopped_key:
            from schemas.load import control_schema

            return control_schema("StoppedKey")
        found: Mapping[str, Any] = _SCHEMAS[schema_id]
        return found


DECODER = Decoder(Schemas())
SNAPSHOT = Visibility.parse("500:520:510")
BEFORE = {Place(PERSON_TOPIC, 0): 10}
ENDS = {Place(PERSON_TOPIC, 0): 20}


def raw(offset: int, operation: str, transaction: int | None, row: int = 1) -> KafkaRecord:
    value = {"after": {"id": row}, "source": {"txId": transaction}, "op": operation}
    framed = frame(ENVELOPE, ReferenceCodec(_ENVELOPE).encode(value))
    return KafkaRecord(PERSON_TOPIC, 0, offset, 1_000, raw_key(row), framed)


@pytest.mark.parametrize(
    ("offset", "operation", "transaction", "hidden"),
    [
        (5, "u", 400, False),
        (5, "u", 510, True),
        (12, "u", 511, False),
        (12, "u", 520, True),
        (5, "r", 520, False),
        (12, "r", 400, True),
        (12, "c", None, True),
        (25, "u", 400, True),
    ],
)
def test_a_raw_record_lies_behind_the_cut_where_the_snapshot_does_not_see_its_transaction(
    offset: int, operation: str, transaction: int | None, hidden: bool
) -> None:
    records = [raw(offset, operation, transaction)] if offset < 20 else []
    behind = find_behind(records, DECODER, SNAPSHOT, BEFORE, ENDS, ("id",))
    assert behind.holds(0, offset) is hidden


def test_rows_of_a_snapshot_that_is_under_way_are_counted() -> None:
    records = [raw(12, "r", 400), raw(13, "r", 400, 2), raw(14, "u", 520, 3)]
    behind = find_behind(records, DECODER, SNAPSHOT, BEFORE, ENDS, ("id",))
    assert (behind.snapshot_rows, len(behind.offsets), behind.ids) == (2, 3, {"1", "2", "3"})


BEHIND = Behind({0: 20}, {(0, 15)}, {RecordId("1")})


def canonical(offset: int, raw_offset: int, operation: str, **changed: object) -> KafkaRecord:
    items = {name: value for name, value in PERSON.items() if name != "id"} | changed
    value = {
        "operation": operation,
        "generation": 0,
        "incarnation": 1,
        "commit": raw_offset,
        "ordinal": raw_offset,
        "source_time": 5_000,
        "raw_topic": PERSON_TOPIC,
        "raw_partition": 0,
        "raw_offset": raw_offset,
        "policy_version": 1,
        "marks": [],
        "previous_known": False,
        "previous": None,
        "state": None if operation == "delete" else items,
    }
    framed = frame(SOURCE.canonical_value_schema_id, SOURCE.envelope.encode(value))
    return KafkaRecord(TopicName("resource.p.v1"), 0, offset, 5_600, key("1"), framed)


def key(record_id: str) -> bytes:
    fields = {"identity": f"resident_id:{ID_A}", "record_id": record_id}
    return frame(SOURCE.canonical_key_schema_id, SOURCE.canonical_key.encode(fields))


def tombstone(offset: int) -> KafkaRecord:
    return KafkaRecord(TopicName("resource.p.v1"), 0, offset, 5_600, key("1"), None)


FORM = RowForm(json.loads(json.dumps(SOURCE.envelope_schema["fields"][-1]["type"][1])))


def reader_of(written_with: SchemaId, schemas: "Schemas") -> CanonicalReader:
    values = CanonicalValues(SOURCE.envelope_schema, written_with, PERSON_TOPIC, FORM, schemas)
    return CanonicalReader(values, PERSON_TOPIC, BEHIND, 100)


def taken(folder: Path, *records: KafkaRecord) -> tuple[list[int], CanonicalReader]:
    reader = reader_of(SOURCE.canonical_value_schema_id, Schemas())
    spill = Spill(folder, 1)
    reader.read(records, spill)
    return [entry.state for entry in read_range(folder, 0)], reader


def test_a_canonical_record_counts_unless_what_it_came_of_lies_behind_the_cut(tmp_path: Path) -> None:
    states, reader = taken(
        tmp_path,
        canonical(0, 3, "create"),
        canonical(1, 15, "update", name="later"),
        canonical(2, 16, "update", name="seen"),
        canonical(3, 21, "update", name="after"),
    )
    assert states == [State.ROW, State.ROW]
    assert (reader.delays.changes, reader.delays.late, reader.delays.longest_ms) == (2, 2, 600)


def test_the_tombstone_of_a_deletion_behind_the_cut_does_not_count(tmp_path: Path) -> None:
    states, _ = taken(tmp_path, canonical(0, 3, "create"), canonical(1, 15, "delete"), tombstone(2))
    assert states == [State.ROW]


def test_a_deletion_before_the_cut_counts_and_so_does_a_tombstone_whose_record_was_compacted(
    tmp_path: Path,
) -> None:
    states, _ = taken(tmp_path, canonical(0, 3, "create"), canonical(1, 4, "delete"), tombstone(2))
    assert states == [State.ROW, State.GONE, State.GONE]


def test_a_record_that_cannot_be_decoded_is_a_row_that_equals_none(tmp_path: Path) -> None:
    states, _ = taken(tmp_path, replace(canonical(0, 3, "create"), value=b"\x00\x00\x00\x00\x64rubbish"))
    assert states == [State.UNFIT]


def test_a_state_has_one_digest_whether_its_bytes_are_taken_or_its_values(tmp_path: Path) -> None:
    record = canonical(0, 3, "create")
    items = {name: value for name, value in PERSON.items() if name != "id"}
    taken(tmp_path, record)
    [entry] = read_range(tmp_path, 0)
    assert entry.digest == FORM.digest(key_bytes(f"resident_id:{ID_A}".encode(), b"1"), items)
    reader = reader_of(SchemaId(999), Written())
    reader.read([record], Spill(tmp_path / "older", 1))
    assert [each.digest for each in read_range(tmp_path / "older", 0)] == [entry.digest]


class Written(Schemas):
    """Of a writer whose schema is another one by its id."""

    def schema(self, schema_id: SchemaId) -> Mapping[str, Any]:
        return SOURCE.envelope_schema


def test_a_canonical_key_is_read_without_its_schema() -> None:
    assert split_key(key("17")) == (f"resident_id:{ID_A}".encode(), b"17")
    long_id = "9" * 300
    assert split_key(key(long_id))[1] == long_id.encode()
    with pytest.raises(Unreadable):
        split_key(b"\x00\x00\x00\x00\x01\x90")


def test_a_row_that_does_not_fit_the_schema_has_no_digest() -> None:
    assert FORM.digest(key_bytes(b"a", b"1"), {"id_number": 5}) is None
    fits = {name: value for name, value in PERSON.items() if name != "id"}
    assert FORM.digest(key_bytes(b"a", b"1"), fits) not in (None, NOTHING)


def stop(row: int, first: int, last: int, at_ms: int = 100) -> KafkaRecord:
    value = frame(CONTROL.stopped_key, _STOPPED.encode(StoppedEntry(False, None, first, last).record()))
    return KafkaRecord(TopicName("stopped.p"), 0, first, at_ms, raw_key(row), value)


def over(row: int, at_ms: int) -> KafkaRecord:
    return KafkaRecord(TopicName("stopped.p"), 0, 99, at_ms, raw_key(row), None)


def test_stopped_keys_are_those_of_the_cut() -> None:
    records = [
        stop(1, 3, 3),
        over(1, 5_000),
        stop(2, 4, 4),
        over(2, 5_000),
        stop(3, 15, 15),
        stop(4, 5, 5),
        stop(4, 5, 22),
        stop(5, 6, 7),
    ]
    found = stopped_at_cut(records, DECODER, BEHIND, ("id",), 1_000)
    assert found == {"1": StoppedRow(0, 3, 3), "4": StoppedRow(0, 5, 5), "5": StoppedRow(0, 6, 7)}


def test_an_entry_that_ended_before_the_cut_is_over_even_if_its_row_changed_later() -> None:
    assert stopped_at_cut([stop(1, 3, 3), over(1, 500)], DECODER, BEHIND, ("id",), 1_000) == {}


def test_delays_are_told_by_powers_of_two_and_never_above_the_longest() -> None:
    delays = Delays()
    for delay in (1, 2, 3, 100, 900):
        delays.add(1_000, 1_000 + delay, 500)
    assert (delays.at_most_ms(0.5), delays.at_most_ms(0.99), delays.late) == (4, 900, 1)
    assert Delays().at_most_ms(0.5) is None
