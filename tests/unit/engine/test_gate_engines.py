"""The gate's engines give byte for byte what the line gives: lanes, entries, blocks, tallies."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from services.control.slow_sources import slow_sources
from services.gate.processor import GateProcessor
from services.processor.contract import InputPartition
from tests.support.examples import examples
from tests.support.gate_strategies import Table, batches, tables
from tests.support.gate_tables import (
    SCHEMA_ID,
    debezium_schema,
    envelope_value,
    made_record,
    policy_of,
    resource_of,
    source_block,
)
from tests.support.policy import sample_policy
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.records import by_partition
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord
from topics.policy import Policy

FAST = [Implementation.GENERATED, *([Implementation.NATIVE] if native.compiled() else [])]


def decided(
    implementation: Implementation,
    policy: Policy,
    schemas: Mapping[Any, Any],
    runs: Iterable[list[KafkaRecord]],
) -> list[object]:
    """Everything that can be seen of a gate that decides these batches, each committed."""
    processor = GateProcessor("gate.0", implementation)
    processor.adopt(policy)
    seen: list[object] = []
    for number, records in enumerate(runs):
        batch = by_partition(records)
        for part in batch:
            if number == 0:
                processor.assign(InputPartition(part.topic, part.partition), 0)
        result = processor.process(batch, schemas)
        seen.append({(lane.topic, lane.partition): list(lane) for lane in result.lanes})
        seen.append({(lane.topic, lane.partition): lane.digest() for lane in result.lanes})
        seen.append(result.outcomes)
        seen.append({source: dict(entries) for source, entries in processor._entries.items()})
    return seen


@st.composite
def scenes(draw: st.DrawFn, *, deep: bool = False) -> tuple[Table, list[list[KafkaRecord]]]:
    table = draw(tables(deep=deep))
    first = draw(batches(table))
    return table, [run for run in (first, draw(batches(table, 50))) if run]


@examples(150, suppress_health_check=list(HealthCheck))
@given(scene=scenes())
def test_each_engine_decides_what_the_line_decides(scene: tuple[Table, list[list[KafkaRecord]]]) -> None:
    table, runs = scene
    schemas = {SCHEMA_ID: table.schema}
    expected = decided(Implementation.REFERENCE, table.policy, schemas, runs)
    for implementation in FAST:
        assert decided(implementation, table.policy, schemas, runs) == expected, implementation


@examples(6, suppress_health_check=list(HealthCheck))
@given(scene=scenes(deep=True))
def test_each_engine_reads_as_deep_as_the_line_and_no_deeper(
    scene: tuple[Table, list[list[KafkaRecord]]],
) -> None:
    table, runs = scene
    schemas = {SCHEMA_ID: table.schema}
    expected = decided(Implementation.REFERENCE, table.policy, schemas, runs)
    for implementation in FAST:
        assert decided(implementation, table.policy, schemas, runs) == expected, implementation


SEQUENCES = [
    '["7","12"]',
    '["7","\\u00312"]',
    '["7","\x012"]',
    '["7","1a"]',
    '["7",""]',
    '["7x","12"]',
    '["7", "12"]',
    '["7","12"] ',
    '["","12"]',
    '["7"]',
    '[null,"12"]',
    '[null,"\x012"]',
    "[null,null]",
    "[]",
    "",
]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("implementation", FAST)
def test_a_position_in_another_form_is_read_as_the_line_reads_it(
    implementation: Implementation, sequence: str
) -> None:
    resource = resource_of("made", ["id"], {"kind": "resident_id", "item": "number"}, [{"name": "number"}])
    policy = policy_of([(resource, [{"name": "number", "type": "string"}])])
    schema = debezium_schema([{"name": "id", "type": "long"}, {"name": "number", "type": "string"}])
    row = {"id": 1, "number": "11010519491231002X"}
    envelope = envelope_value("c", None, row, source_block(5, sequence=sequence))
    record = made_record(resource.raw_topic, 1, ReferenceCodec(schema), envelope, b"k")
    expected = decided(Implementation.REFERENCE, policy, {SCHEMA_ID: schema}, [[record]])
    assert decided(implementation, policy, {SCHEMA_ID: schema}, [[record]]) == expected


@pytest.mark.skipif(not native.compiled(), reason="nothing is compiled here")
def test_raising_a_single_letter_leaves_every_other_text_alone() -> None:
    item = {"name": "letter", "conversion": "upper"}
    resource = resource_of(
        "made", ["id"], {"kind": "resident_id", "item": "number"}, [{"name": "number"}, item]
    )
    policy = policy_of(
        [(resource, [{"name": "number", "type": "string"}, {"name": "letter", "type": "string"}])]
    )
    columns = [{"name": "id", "type": "long"}, *({"name": n, "type": "string"} for n in ("number", "letter"))]
    schema = debezium_schema(columns)
    row = {"id": 1, "number": "11010519491231002X", "letter": "q"}
    envelope = envelope_value("c", None, row, source_block(5))
    record = made_record(resource.raw_topic, 1, ReferenceCodec(schema), envelope, b"k")
    decided(Implementation.NATIVE, policy, {SCHEMA_ID: schema}, [[record]])
    assert bytes([ord("q")]) == chr(ord("q")).encode() == bytearray([113])


def test_what_of_a_source_is_slow_is_told_with_its_reason() -> None:
    items = [{"name": "number"}, {"name": "ratio"}, {"name": "word"}]
    rules = [{"rule": "pattern", "item": "word", "pattern": "^(?:[a-f]{0,300}x?){1}(?:[b-y]{0,300})$"}]
    resource = resource_of("made", ["id"], {"kind": "passport", "item": "number"}, items, rules=rules)
    types = {"number": "string", "ratio": ["null", "float"], "word": "string"}
    policy = policy_of([(resource, [{"name": name, "type": avro} for name, avro in types.items()])])
    assert list(slow_sources(policy)) == [
        f"resource made.made.v1 is decided slowly in part: {reason}"
        for reason in (
            "the line decides records with a value of item ratio",
            "identities of kind passport are checked in Python",
            "rule word.pattern is asked in Python",
        )
    ]


def test_a_published_source_is_told_since_the_line_decides_all_of_it() -> None:
    assert list(slow_sources(sample_policy())) == [
        "resource licence.permit.v1 is published: the line decides every record"
    ]
