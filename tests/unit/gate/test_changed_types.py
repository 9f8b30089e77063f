"""A column gets another type at its source: the gate converts what is declared and keeps the rest whole."""

from typing import Any

import pytest

from services.gate.processor import GateProcessor
from services.processor.contract import InputPartition
from tests.support.gate_tables import (
    SCHEMA_ID,
    debezium_schema,
    envelope_value,
    made_record,
    policy_of,
    resource_of,
    source_block,
)
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.records import by_partition
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, Record
from topics.names import quarantine
from topics.wire import split

ALL = [each for each in Implementation if each is not Implementation.NATIVE or native.compiled()]
RESOURCE = resource_of(
    "made",
    ["id"],
    {"kind": "resident_id", "item": "number"},
    [{"name": "number"}, {"name": "count"}, {"name": "status"}, {"name": "code", "conversion": "text"}],
)
TEXT = ["null", "string"]
POLICY = policy_of(
    [
        (
            RESOURCE,
            [
                {"name": "number", "type": "string"},
                {"name": "count", "type": "int"},
                {"name": "status", "type": TEXT},
                {"name": "code", "type": TEXT},
            ],
        )
    ]
)
COLUMNS = {"id": "long", "number": "string", "count": "int", "status": TEXT, "code": TEXT}
ROW = {"id": 1, "number": "11010519491231002X", "count": 3, "status": "1", "code": "1"}
MOST = 2**31 - 1


def raw_record(types: dict[str, object], row: dict[str, object]) -> tuple[KafkaRecord, dict[str, Any]]:
    """A row whose columns have these types, and the schema that it was written by."""
    columns = [{"name": name, "type": kind} for name, kind in {**COLUMNS, **types}.items()]
    schema = debezium_schema(columns)
    envelope = envelope_value("c", None, {**ROW, **row}, source_block(5))
    return made_record(RESOURCE.raw_topic, 1, ReferenceCodec(schema), envelope, b"k"), schema


def decoded(implementation: Implementation, record: KafkaRecord, schema: dict[str, Any]) -> dict[str, Record]:
    """The values that the gate writes of a raw record, by their topics."""
    processor = GateProcessor("gate.0", implementation)
    processor.adopt(POLICY)
    processor.assign(InputPartition(record.topic, 0), 0)
    plan = processor.plan
    codecs = {
        f"resource.{RESOURCE.id}": plan.sources[RESOURCE.raw_topic].envelope,
        quarantine(RESOURCE.provider): plan.control.quarantined_event,
    }
    lanes = processor.process(by_partition([record]), {SCHEMA_ID: schema}).lanes
    return {
        lane.topic: codecs[lane.topic].decode(split(output.value or b"")[1])
        for lane in lanes
        if lane.topic in codecs
        for output in lane
    }


@pytest.mark.parametrize("implementation", ALL)
@pytest.mark.parametrize(
    ("types", "row", "item", "value"),
    [
        ({"code": "int"}, {"code": 2}, "code", "2"),
        ({"count": "long"}, {"count": MOST}, "count", MOST),
        ({"count": "long"}, {"count": -MOST - 1}, "count", -MOST - 1),
    ],
)
@pytest.mark.requirement("A4-09")
def test_a_value_of_another_type_that_fits_or_is_converted_is_accepted(
    implementation: Implementation, types: dict[str, object], row: dict[str, object], item: str, value: object
) -> None:
    (state,) = decoded(implementation, *raw_record(types, row)).values()
    assert isinstance(state["state"], dict)
    assert state["state"][item] == value


@pytest.mark.requirement("A5-07")
@pytest.mark.parametrize("implementation", ALL)
@pytest.mark.parametrize(
    ("types", "row", "item"),
    [
        ({"status": "int"}, {"status": 2}, "status"),
        ({"count": "long"}, {"count": MOST + 1}, "count"),
        ({"count": "long"}, {"count": -MOST - 2}, "count"),
        ({"count": "string"}, {"count": "3"}, "count"),
    ],
)
def test_a_value_of_another_type_is_kept_whole_with_the_name_of_its_item(
    implementation: Implementation, types: dict[str, object], row: dict[str, object], item: str
) -> None:
    record, schema = raw_record(types, row)
    (kept,) = decoded(implementation, record, schema).values()
    assert kept["value"] == record.value
    assert (kept["step"], kept["reason"]) == ("encode", "DOES_NOT_FIT_SCHEMA")
    assert kept["detail"] == f"the record does not fit made.made.v1.avsc: {item} has another type"
