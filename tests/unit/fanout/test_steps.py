"""The fan-out pauses while it decides: no step takes long, whichever engine decides and whatever comes."""

import functools
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from services.fanout import engine as engines
from services.fanout.line import fan_out
from services.fanout.plan import MasterSecretMissing
from services.fanout.processor import FanoutProcessor
from services.processor.contract import CatchUp, Steps
from tests.unit.fanout.test_disputed import OTHER, disputes
from tests.unit.fanout.test_engines import FAST, PERSON, RECORDS, SCHEMAS, SOURCE, changed
from tests.unit.fanout.test_line import HEALTH, MASTER, POLICY
from topics.disputes import Disputes
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided, FanoutEngine
from topics.engine.records import PartitionRecords, Records
from topics.engine.schema import AvroType
from topics.event import KafkaRecord, OutputRecord, SchemaId
from topics.policy import Policy

ALL = [Implementation.REFERENCE, *FAST]
GRANTS = 2
LONGEST = 0.08
"""Seconds of a step; what was decided before it may have taken 0.03."""
LINE = 0.0001
COSTS = {Implementation.NATIVE: 0.000001, Implementation.GENERATED: 0.000008, Implementation.REFERENCE: 0.0}
"""Seconds for one record under one grant, apart from what the line is asked; as they were measured."""
FIRST = RECORDS[0]
CUT = replace(FIRST, value=(FIRST.value or b"")[:-1])
OLDER = SchemaId(9_000)


class Clock:
    """A clock that moves by what was done."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed:
    """An engine that takes its time."""

    def __init__(self, made: FanoutEngine, clock: Clock) -> None:
        self.made, self.clock = made, clock
        self.implementation = made.implementation

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:
        return self.made.learn(schema_id, writer)

    def decide(
        self, records: Records, writers: Mapping[SchemaId, AvroType], before: Before | None = None
    ) -> Decided:
        self.clock.now += len(records) * GRANTS * COSTS[self.implementation]
        return self.made.decide(records, writers, before)

    def fallbacks(self, writer: AvroType) -> Any:
        return self.made.fallbacks(writer)


Made = Callable[..., FanoutProcessor]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Makes fan-outs of which everything takes its time by the clock."""
    make, line = engines.make_engine, fan_out

    def timed(*given: Any) -> Any:
        return Timed(make(*given), clock)

    def slow_line(record: KafkaRecord, *given: Any) -> Any:
        found = line(record, *given)
        clock.now += LINE * (GRANTS if record.value != CUT.value else 0.01)
        return found

    monkeypatch.setattr(engines, "make_engine", timed)
    monkeypatch.setattr(engines, "fan_out", slow_line)

    def processor(
        engine: Implementation, policy: Policy = POLICY, found: Disputes | None = None
    ) -> FanoutProcessor:
        fanout = FanoutProcessor("default", MASTER, implementation=engine, clock=clock)
        fanout.adopt(policy)
        fanout.assign(SOURCE, 0)
        fanout.adopt_disputes(found or Disputes())
        return fanout

    return processor


def many(*records: KafkaRecord, count: int) -> PartitionRecords:
    """So many records of the partition, these again and again."""
    found = [replace(records[number % len(records)], offset=number) for number in range(count)]
    return PartitionRecords(*SOURCE, found)


def after(count: int, *cheap: KafkaRecord) -> PartitionRecords:
    """So many cheap records before dear ones."""
    return PartitionRecords(*SOURCE, [*many(*cheap, count=count), *many(FIRST, count=1_200)])


def spent(steps: Steps, clock: Clock) -> tuple[list[float], Sequence[OutputRecord]]:
    """What each step took, and everything that is written but the block."""
    seconds: list[float] = []
    began = clock.now
    while True:
        try:
            next(steps)
        except StopIteration as done:
            lanes = (lane for lane in done.value.lanes if lane.topic.startswith("sub."))
            return seconds, sorted(chain.from_iterable(lanes), key=lambda each: each.topic)
        seconds.append(clock.now - began)
        began = clock.now


def needing_the_line() -> Policy:
    """A policy with a grant that no other engine decides."""
    fields = [{"name": "id_number", "type": ["null", "string"]}]
    wide = {"type": "record", "name": "Person", "fields": fields}
    return changed(value_schema=json.dumps(wide), value_schema_id=SchemaId(1))


CASES: dict[str, tuple[Records, Policy, Disputes | None]] = {
    "sound records": (many(FIRST, count=1_200), POLICY, None),
    "a grant that needs the line": (many(FIRST, count=1_200), needing_the_line(), None),
    "disputed records": (many(FIRST, count=1_200), POLICY, disputes("address")),
    "disputed ones among others": (many(FIRST, CUT, *OTHER, count=2_400), POLICY, disputes("address")),
    "dear ones after cheap ones": (after(9_000, CUT), POLICY, None),
    "some that need the line, after cheap ones": (after(9_000, CUT), needing_the_line(), None),
    "disputed ones after others": (after(3_000, *OTHER), POLICY, disputes("address")),
}


@functools.cache
def by_reference(case: str) -> Sequence[OutputRecord]:
    """What is written where nobody looks at a clock."""
    records, policy, found = CASES[case]
    fanout = FanoutProcessor("default", MASTER, implementation=Implementation.REFERENCE)
    fanout.adopt(policy)
    fanout.adopt_disputes(found or Disputes())
    return spent(fanout.process_in_steps([records], SCHEMAS), Clock())[1]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ALL)
def test_no_step_takes_long_and_nothing_else_changes(
    engine: Implementation, case: str, made: Made, clock: Clock
) -> None:
    records, policy, found = CASES[case]
    seconds, written = spent(made(engine, policy, found).process_in_steps([records], SCHEMAS), clock)
    assert max(seconds) <= LONGEST
    assert written == by_reference(case)
    assert len(written) >= 800


@pytest.mark.parametrize("engine", ALL)
def test_on_a_slow_machine_the_steps_have_fewer_records(
    engine: Implementation, made: Made, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.fanout.test_steps.LINE", 10 * LINE)
    for each in COSTS:
        monkeypatch.setitem(COSTS, each, 50 * COSTS[each])
    records = many(FIRST, count=1_200)
    seconds, _ = spent(made(engine).process_in_steps([records], SCHEMAS), clock)
    assert seconds[0] <= 2 * LONGEST
    assert max(seconds[1:]) <= LONGEST


@pytest.mark.parametrize("engine", FAST)
def test_a_quick_engine_pauses_seldom(engine: Implementation, made: Made, clock: Clock) -> None:
    seconds, _ = spent(made(engine).process_in_steps([many(FIRST, count=12_000)], SCHEMAS), clock)
    assert len(seconds) <= 15


@pytest.mark.parametrize("engine", ALL)
def test_the_rest_that_new_grants_lack_is_decided_in_steps_too(
    engine: Implementation, made: Made, clock: Clock
) -> None:
    fanout = made(engine, needing_the_line())
    catch_up = CatchUp(SOURCE, 0, 1_200, (HEALTH,))
    seconds, _ = spent(fanout.catch_up_in_steps(catch_up, many(FIRST, count=1_200), SCHEMAS), clock)
    assert len(seconds) >= 3
    assert max(seconds) <= LONGEST


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The writer of each plan that an engine compiles."""
    found: list[object] = []
    for each in FAST:
        module = importlib.import_module(f"topics.engine.{each.value}_fanout")
        compile_fanout = module.compile_fanout

        def noted(spec: Any, writer: Any, compile_fanout: Any = compile_fanout) -> Any:
            found.append(writer)
            return compile_fanout(spec, writer)

        monkeypatch.setattr(module, "compile_fanout", noted)
    return found


def written_by(schema_id: SchemaId) -> KafkaRecord:
    value = FIRST.value or b""
    return replace(FIRST, value=value[:1] + schema_id.to_bytes(4, "big") + value[5:])


@pytest.mark.parametrize("engine", FAST)
def test_what_the_policy_names_is_compiled_when_it_is_adopted(
    engine: Implementation, made: Made, compiled: list[object]
) -> None:
    fanout = made(engine)
    assert len(compiled) == len(fanout.topics())
    compiled.clear()
    fanout.process([RECORDS], SCHEMAS)
    assert compiled == []


@pytest.mark.parametrize("engine", FAST)
def test_an_older_schema_is_compiled_in_a_step_of_its_own_and_by_the_next_policy_before_its_first_batch(
    engine: Implementation, made: Made, compiled: list[object]
) -> None:
    fanout = made(engine)
    older = {OLDER: SCHEMAS[PERSON.canonical_value_schema_id]}
    records = PartitionRecords(*SOURCE, [written_by(OLDER)])
    compiled.clear()
    steps = fanout.process_in_steps([records], older)
    next(steps)
    assert len(compiled) == 1
    next(steps)
    fanout.adopt(POLICY)
    assert len(compiled) == 1 + len(fanout.topics()) + 1
    compiled.clear()
    outcomes = fanout.process([records], older).outcomes
    assert (compiled, outcomes["delivered"]) == ([], GRANTS)


def test_an_adoption_pauses_after_each_topic_and_a_failed_one_leaves_the_policy_before() -> None:
    fanout = FanoutProcessor("default", MASTER)
    assert sum(1 for _ in fanout.adopt_in_steps(POLICY)) >= len(fanout.topics())
    lacking = changed(key_version=7).model_copy(update={"version": POLICY.version + 1})
    with pytest.raises(MasterSecretMissing):
        fanout.adopt(lacking)
    assert fanout.plan.policy_version == POLICY.version
    fanout.assign(SOURCE, 10)
    assert fanout.process([RECORDS], SCHEMAS).outcomes["delivered"] == 6


def test_very_many_grants_are_compiled_with_pauses() -> None:
    entry = POLICY.grants[HEALTH]
    named = {f"{HEALTH}-{number}": entry for number in range(120)}
    grants = {
        name: each.model_copy(update={"grant": each.grant.model_copy(update={"id": name})})
        for name, each in named.items()
    }
    fanout = FanoutProcessor("default", MASTER)
    steps = fanout.adopt_in_steps(POLICY.model_copy(update={"grants": grants}))
    assert sum(1 for _ in steps) >= 2 + 2 * len(fanout.topics())
    assert len(fanout.plan.resources[SOURCE.topic].grants) == 120


class Incompilable(Timed):
    """An engine that a schema breaks while it is compiled."""

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:
        raise RecursionError


@pytest.mark.parametrize("breaks", ["the engine", "a schema"])
@pytest.mark.parametrize("engine", FAST)
def test_a_topic_that_cannot_be_compiled_is_decided_by_the_line_and_stops_no_other(
    engine: Implementation, breaks: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = engines.make_engine

    def broken(wanted: Implementation, *given: Any) -> Any:
        if wanted is Implementation.REFERENCE:
            return make(wanted, *given)
        if breaks == "the engine":
            raise TypeError("a defect")
        return Incompilable(make(wanted, *given), Clock())

    def outputs(wanted: Implementation) -> Sequence[OutputRecord]:
        fanout = FanoutProcessor("default", MASTER, implementation=wanted)
        fanout.adopt(POLICY)
        fanout.assign(SOURCE, 0)
        return spent(fanout.process_in_steps([many(FIRST, count=9)], SCHEMAS), Clock())[1]

    expected = outputs(Implementation.REFERENCE)
    monkeypatch.setattr(engines, "make_engine", broken)
    assert outputs(engine) == expected != []
    assert "the line decides" in caplog.text
