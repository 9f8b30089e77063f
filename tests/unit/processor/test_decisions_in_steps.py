"""Dear records after cheap ones: while a batch is being decided, everybody else has the event loop."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from services.gate.line import decide
from services.gate.processor import _AT_ONCE, GateProcessor
from services.processor.batch_limit import BatchLimit
from services.processor.contract import InputPartition
from services.processor.decisions import Decisions
from services.processor.metrics import Metrics
from services.processor.step_size import StepSize
from services.processor.turns import in_turns
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
from tests.unit.processor.copying_processor import Copying
from tests.unit.processor.fakes import Bench, FakeAttempts, numbered
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord
from topics.policy import Policy

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
    monkeypatch.setattr("services.processor.turns._LONGEST_TURN_SECONDS", -1.0)
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
    assert attempts.steps >= COUNT // _AT_ONCE, (
        "a step that never ends is a death, not a batch that takes long"
    )
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


def test_a_batch_holds_what_is_decided_in_its_time() -> None:
    limit = BatchLimit(6_000, 0.2)
    for _ in range(10):
        limit.passed()
    limit.took(100, 0.1)
    assert limit.value == 200


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def each(self, *seconds: float) -> Generator[None, None, str]:
        """Steps that take so long, one after another."""
        for each in seconds:
            self.now += each
            yield
        return "done"


@pytest.mark.parametrize(
    ("steps", "pauses"),
    [((), 0), ((0.01,) * 3, 0), ((0.01,) * 4, 1), ((0.05,) * 4, 4), ((0.02,) * 5, 2), ((0.05, 0.001), 1)],
)
async def test_everybody_else_has_the_loop_once_a_turn_was_long(
    steps: tuple[float, ...], pauses: int
) -> None:
    clock, turns = Clock(), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            clock.now += 100.0
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    result, seconds = await in_turns(clock.each(*steps), clock)
    beside.cancel()
    assert (result, turns) == ("done", pauses)
    assert seconds == pytest.approx(sum(steps)), "what others took is not counted"


SIZES: list[tuple[str, list[tuple[int, float]], int]] = [
    ("before anything was measured", [], 100),
    ("cheap: at most twice what was tried", [(100, 0.0001)], 200),
    ("cheap for long: the most", [(100 * 2**number, 0.0001) for number in range(8)], 8_000),
    ("dear", [(100, 0.1)], 50),
    ("dear after cheap ones: at once", [(100, 0.0001)] * 20 + [(100, 0.1)], 50),
    ("cheap after a dear one: little by little", [(100, 0.1), (50, 0.0)], 83),
    ("dearer than a step", [(1, 2.0)], 1),
]


@pytest.mark.parametrize(("taken", "size"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES])
def test_a_step_is_as_large_as_what_it_took_so_far_allows(taken: list[tuple[int, float]], size: int) -> None:
    step = StepSize(8_000)
    for count, seconds in taken:
        step.took(count, seconds)
    assert step.of() == size
    assert step.of(1_000) == max(1, size // 1_000), "a record under a thousand grants"


def test_where_a_step_costs_much_by_itself_the_steps_become_larger() -> None:
    """Under a thousand grants a step of one record takes most of what one of seven takes."""
    step, grants = StepSize(8_000), 1_000
    for _ in range(20):
        records = step.of(grants)
        step.took(records * grants, 0.025 + records * 0.0036)
    assert step.of(grants) in (6, 7)


@pytest.mark.parametrize("implementation", ENGINES)
def test_the_gate_s_steps_have_fewer_records_where_each_takes_long(
    implementation: Implementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor, records, schemas = gate(implementation)
    processor._clock = clock = Clock()

    def dear(*given: Any) -> Any:
        clock.now += 0.001
        return decide(*given)

    monkeypatch.setattr("services.gate.processor.decide", dear)
    seconds, began = [], clock.now
    for _ in processor.process_in_steps([PartitionRecords(records[0].topic, 0, records)], schemas):
        seconds.append(clock.now - began)
        began = clock.now
    assert max(seconds) <= 0.101
    assert clock.now >= 0.5, "two of three records go to the line"


def test_the_gate_adopts_a_policy_with_a_pause_after_each_source() -> None:
    processor = GateProcessor("gate.0")
    policy = sample_policy()
    assert sum(1 for _ in processor.adopt_in_steps(policy)) == 2 * len(policy.by_raw_topic())


async def test_while_a_policy_is_adopted_the_group_is_served_and_nothing_is_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.processor.turns._LONGEST_TURN_SECONDS", -1.0)
    monkeypatch.setattr("services.processor.positions._SERVE_SECONDS", 0.0)

    class Slow(Copying):
        def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
            while policy.version > 1 and bench.input.served < 6:
                yield
            yield from super().adopt_in_steps(policy)

    bench = Bench(Slow(), numbered(b"1", b"2"), sample_policy(1))
    assert await bench.turn() == 2
    limits = [bench.runner._decisions.limit, bench.runner._catch_ups._limit]
    for limit in limits:
        limit.took(1, 10.0)
    bench.policy.newest = sample_policy(2)
    bench.input.records += [replace(each, offset=2 + each.offset) for each in numbered(b"3", b"4")]
    assert await bench.turn() == 2
    assert bench.input.served >= 6
    assert bench.written() == [(b"live", value) for value in (b"1", b"2", b"3", b"4")]
    assert bench.health.acknowledged_version == 2
    assert min(limit.value for limit in limits) > 1, "what a record costs is found out anew"
