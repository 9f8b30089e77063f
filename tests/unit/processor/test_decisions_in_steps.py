"""Dear records after cheap ones: while a batch is being decided, everybody else has the event loop."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.gate.processor import _AT_ONCE, GateProcessor
from services.processor.batch_limit import AT_ONCE_SECONDS, IN_STEPS_SECONDS, BatchLimit, limit_for
from services.processor.contract import InputPartition
from services.processor.decisions import Decisions
from services.processor.metrics import Metrics
from tests.support.gate_tables import (
    SCHEMA_ID,
    debezium_schema,
    envelope_value,
    made_record,
    policy_of,
    resource_of,
    source_block,
)
from tests.unit.processor.fakes import FakeAttempts
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord

ENGINES = [Implementation.GENERATED, *([Implementation.NATIVE] if native.compiled() else [])]
COUNT = 4 * _AT_ONCE + 7


def gate(implementation: Implementation) -> tuple[GateProcessor, list[KafkaRecord], dict[Any, Any]]:
    """A gate, as many records that cannot be decoded, and its schemas."""
    resource = resource_of("made", ["id"], {"kind": "resident_id", "item": "number"}, [{"name": "number"}])
    policy = policy_of([(resource, [{"name": "number", "type": "string"}])])
    schema = debezium_schema([{"name": "id", "type": "long"}, {"name": "number", "type": "string"}])
    envelope = envelope_value("c", None, {"id": 1, "number": "11010519491231002X"}, source_block(5))
    sound = made_record(resource.raw_topic, 1, ReferenceCodec(schema), envelope, b"k")
    cut = replace(sound, value=(sound.value or b"")[:-3])
    processor = GateProcessor("gate.0", implementation)
    processor.adopt(policy)
    processor.assign(InputPartition(resource.raw_topic, 0), 0)
    records = [
        replace(cut if at % 3 else sound, offset=at, key=b"%d" % at, timestamp_ms=sound.timestamp_ms)
        for at in range(COUNT)
    ]
    return processor, records, {SCHEMA_ID: schema}


@pytest.mark.parametrize("implementation", ENGINES)
async def test_the_loop_goes_on_while_many_dear_records_are_decided(
    implementation: Implementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.processor.decisions._LONGEST_TURN_SECONDS", -1.0)
    processor, records, schemas = gate(implementation)
    attempts: Any = FakeAttempts()
    decisions = Decisions(processor, BatchLimit(6_000), attempts, Metrics("gate.0"))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await asyncio.sleep(0)
    batch = [PartitionRecords(records[0].topic, 0, records)]
    result = await decisions.decide(batch, schemas)
    beside.cancel()
    assert turns > COUNT // _AT_ONCE
    assert result is not None
    assert not attempts.open
    whole, _, _ = gate(Implementation.REFERENCE)
    expected = whole.process(batch, schemas)
    assert result.outcomes == expected.outcomes
    assert [(lane.topic, list(lane)) for lane in result.lanes] == [
        (lane.topic, list(lane)) for lane in expected.lanes
    ]
    assert processor._entries == whole._entries


@pytest.mark.skipif(not native.compiled(), reason="nothing is compiled here")
def test_a_part_of_compiled_records_is_the_same_records_and_outlives_the_whole() -> None:
    made = native.module("topics.engine.native_batch").NativeRecords
    _, records, _ = gate(Implementation.REFERENCE)
    whole = made.from_records(records[0].topic, 0, records)
    parts = [whole.part(first, first + 100) for first in range(0, COUNT, 100)]
    del whole
    assert [record for part in parts for record in part] == records
    assert parts[-1].part(0, 10**6)[-1] == records[-1]
    assert len(parts[0].part(90, 95)) == 5


@pytest.mark.parametrize("seconds", [AT_ONCE_SECONDS, IN_STEPS_SECONDS])
def test_a_batch_holds_what_is_decided_in_its_time_and_more_where_deciding_pauses(seconds: float) -> None:
    limit = BatchLimit(6_000, seconds)
    for _ in range(10):
        limit.passed()
    limit.took(100, 0.1)
    assert limit.value == int(seconds / 0.001)


def test_processors_that_pause_get_the_larger_batches() -> None:
    stepping, other = limit_for(GateProcessor("gate.0"), 6_000), limit_for(object(), 6_000)
    for limit in (stepping, other):
        limit.took(100, 0.1)
    assert (stepping.value, other.value) == (200, 50)
