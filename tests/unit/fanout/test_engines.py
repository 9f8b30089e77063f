"""Whichever engine decides, the same records, counts and decision blocks are written, byte for byte."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.control.copier import CopyLine
from services.control.slow_grants import slow_grants
from services.fanout.processor import FanoutProcessor
from services.processor.contract import BatchResult, InputPartition
from services.processor.step_size import StepSize
from tests.support.debezium import raw
from tests.support.policy import envelope_of
from tests.unit.fanout.test_line import HEALTH, MASTER, OUTSIDE, POLICY, canonical, person
from topics.engine import native
from topics.engine.choose import Implementation, NotAvailable, choose
from topics.engine.records import PartitionRecords
from topics.event import KafkaRecord, PolicyNumber, SchemaId
from topics.grants.declaration import GrantState
from topics.policy import Policy

FAST = [each for each in Implementation if each is not Implementation.REFERENCE]
if not native.compiled():
    FAST.remove(Implementation.NATIVE)
PERSON = POLICY.resources[POLICY.grants[HEALTH].grant.resource]
SCHEMAS = {PERSON.canonical_value_schema_id: envelope_of(POLICY, PERSON.resource.id)}


def history() -> Iterator[KafkaRecord]:
    """One key's life, then what cannot be read: other bytes, an unknown schema, a value that is cut short."""
    changes = [
        raw("c", 1, after=person()),
        raw("u", 2, person(), person(OUTSIDE)),
        raw("u", 3, person(OUTSIDE), person(OUTSIDE, name="王")),
        raw("u", 4, None, person()),
        raw("d", 5, before=person()),
    ]
    found = [record for change in changes for record in canonical(change)]
    value = found[0].value or b""
    for bad in (b"", b"\x01", b"\x00\x00\x00\x00\x63" + value[5:], value[:-1], value + b"\x00"):
        found.append(replace(found[0], value=bad))
    found.append(replace(found[0], key=None))
    for offset, record in enumerate(found):
        yield replace(record, offset=10 + offset)


RECORDS = PartitionRecords(PERSON.resource.canonical_topic, next(history()).partition, list(history()))
SOURCE = InputPartition(RECORDS.topic, RECORDS.partition)


def processor(implementation: Implementation, policy: Policy = POLICY) -> FanoutProcessor:
    made = FanoutProcessor("default", MASTER, implementation=implementation)
    made.adopt(policy)
    made.assign(SOURCE, 10)
    return made


def shown(result: BatchResult) -> tuple[Any, ...]:
    outputs = [output for lane in result.lanes for output in lane]
    return sorted(outputs, key=lambda output: output.topic), dict(result.outcomes)


def changed(**values: Any) -> Policy:
    entry = POLICY.grants[HEALTH].model_copy(update=values)
    return POLICY.model_copy(update={"grants": {**POLICY.grants, HEALTH: entry}})


@pytest.mark.parametrize("engine", FAST)
def test_a_batch_leads_to_the_same_lanes_and_the_same_block(engine: Implementation) -> None:
    expected = shown(processor(Implementation.REFERENCE).process([RECORDS], SCHEMAS))
    outputs, outcomes = expected
    assert outcomes == {"delivered": 6, "tombstoned": 3, "OUTSIDE_ROWS": 1, "INTERNAL": 12}
    assert outputs[0].topic == "ledger.delivery"
    assert shown(processor(engine).process([RECORDS], SCHEMAS)) == expected


@pytest.mark.parametrize("engine", list(Implementation) if native.compiled() else FAST)
@pytest.mark.parametrize("at_once", [1, 6, 8])
def test_however_often_deciding_pauses_the_same_is_written_and_the_block_says_the_same(
    engine: Implementation, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = shown(processor(engine).process([RECORDS], SCHEMAS))
    monkeypatch.setattr(StepSize, "of", lambda *_: at_once)
    steps = processor(engine).process_in_steps([RECORDS], SCHEMAS)
    assert sum(1 for _ in steps) >= len(RECORDS) // at_once
    assert shown(processor(engine).process([RECORDS], SCHEMAS)) == expected


@pytest.mark.parametrize("engine", list(Implementation) if native.compiled() else FAST)
def test_the_schema_that_the_policy_names_needs_no_registry(engine: Implementation) -> None:
    expected = shown(processor(engine).process([RECORDS], SCHEMAS))
    made = processor(engine)
    assert PERSON.canonical_value_schema_id not in made.needed_schemas(RECORDS)
    assert shown(made.process([RECORDS], {})) == expected
    assert expected[1]["delivered"] == 6
    assert made.reads_own_writers, "and any other that the registry denies is waited for"


@pytest.mark.parametrize("engine", FAST)
def test_a_catch_up_leads_to_the_same(engine: Implementation) -> None:
    policy = changed(starts_at={SOURCE.partition: 11}, active_since=PolicyNumber(1))
    results = []
    for each in (Implementation.REFERENCE, engine):
        made = processor(each, policy)
        [catch_up] = made.catch_ups(SOURCE, 15, 0)
        results.append(shown(made.process_catch_up(catch_up, RECORDS, SCHEMAS)))
    assert results[0] == results[1]
    assert results[0][1]["FILLED_BY_EPOCH"] == 1


@pytest.mark.parametrize("engine", FAST)
def test_after_a_grant_was_handed_out_no_engine_delivers_anything(engine: Implementation) -> None:
    once = POLICY.grants[HEALTH].grant.model_copy(update={"once": True})
    policy = changed(grant=once, closed_ms=min(record.timestamp_ms for record in history()))
    expected = shown(processor(Implementation.REFERENCE, policy).process([RECORDS], SCHEMAS))
    assert shown(processor(engine, policy).process([RECORDS], SCHEMAS)) == expected
    assert once.topic not in {output.topic for output in expected[0]}


@pytest.mark.parametrize("engine", FAST)
def test_a_copier_delivers_the_same(engine: Implementation) -> None:
    policy = changed(grant=POLICY.grants[HEALTH].grant.model_copy(update={"state": GrantState.FILLING}))
    results = []
    for each in (Implementation.REFERENCE, engine):
        line = CopyLine(policy, policy.grants[HEALTH], MASTER, 1_790_000_000_000, implementation=each)
        results.append((line.decide(RECORDS), line.tally, line.positions))
    assert results[0] == results[1]
    assert results[0][1]["delivered"] == 2


def test_a_record_that_breaks_the_processor_is_withheld_from_every_grant() -> None:
    result = processor(Implementation.REFERENCE).stop_internal(RECORDS[0], "SomeError")
    assert dict(result.outcomes) == {"INTERNAL": 2}
    assert [len(lane) for lane in result.lanes] == [1]


def test_the_fastest_engine_is_chosen_and_one_can_be_forced() -> None:
    assert choose() is (Implementation.NATIVE if native.compiled() else Implementation.GENERATED)
    assert choose("reference") is Implementation.REFERENCE
    with pytest.raises(NotAvailable, match="give one of native, generated, reference"):
        choose("quick")
    assert processor(Implementation.GENERATED).engine == "generated"


def test_without_compiled_modules_the_generated_engine_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "compiled", lambda: False)
    assert choose() is Implementation.GENERATED
    with pytest.raises(NotAvailable, match="no compiled modules"):
        choose("native")


def test_no_grant_of_the_sample_city_is_slow() -> None:
    assert list(slow_grants(POLICY)) == []


def test_a_grant_that_needs_the_reference_is_noted_with_the_reason() -> None:
    entry = POLICY.grants[HEALTH]
    wide = {
        "type": "record",
        "name": "Person",
        "fields": [{"name": "id_number", "type": ["null", "string"]}],
    }
    policy = changed(value_schema=json.dumps(wide), value_schema_id=SchemaId(1))
    assert list(slow_grants(policy)) == [
        f"grant {entry.grant.id} is decided slowly, record by record: "
        "id_number is delivered in a type that its item does not lead to"
    ]
