"""Schemas are asked for side by side and for a bounded time; ids that nobody knows stall no one."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from schemas.registry import RegistryUnavailable, SchemaNotFound
from services.processor import needs, schema_source
from services.processor.contract import Batch, InputPartition
from services.processor.errors import WaitAndRetry
from services.processor.schema_source import SchemaSource
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.engine.records import Records
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.wire import frame

OTHER = InputPartition(TopicName("in"), 1)


def ids(*numbers: int) -> list[SchemaId]:
    return [SchemaId(number) for number in numbers]


class Registry:
    """Knows the schemas below 100; answers only while it may."""

    def __init__(self) -> None:
        self.asked: list[SchemaId] = []
        self.together = 0
        self.most_together = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.down = False
        self.first_unknown = 100
        self._lock = threading.Lock()

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        with self._lock:
            self.asked.append(schema_id)
            self.together += 1
            self.most_together = max(self.most_together, self.together)
        self.may_answer.wait(20)
        with self._lock:
            self.together -= 1
        if self.down:
            raise RegistryUnavailable("down")
        if schema_id >= self.first_unknown:
            raise SchemaNotFound(str(schema_id))
        return {"id": schema_id}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    registry.may_answer.set()


async def test_known_ones_are_kept_and_absent_ones_asked_for_again_after_seconds(registry: Registry) -> None:
    clock = Clock()
    source = SchemaSource(registry, clock)
    for _ in range(2):
        assert await source.resolve(ids(1, 2, 100)) == {1: {"id": 1}, 2: {"id": 2}}
    assert sorted(registry.asked) == [1, 2, 100]
    clock.now += 5
    assert await source.resolve(ids(1, 100)) == {1: {"id": 1}}
    assert sorted(registry.asked) == [1, 2, 100, 100]


async def test_who_does_not_answer_in_time_is_waited_for_and_asked_once_only(registry: Registry) -> None:
    source = SchemaSource(registry, patience_s=0.05)
    registry.may_answer.clear()
    for _ in range(3):
        with pytest.raises(WaitAndRetry, match=r"no answer for 0\.05 s"):
            await source.resolve(ids(1))
    registry.may_answer.set()
    assert await source.resolve(ids(1)) == {1: {"id": 1}}
    assert registry.asked == [1]


async def test_many_are_asked_for_side_by_side_though_not_all_at_once(registry: Registry) -> None:
    source = SchemaSource(registry, patience_s=0.2)
    registry.may_answer.clear()
    with pytest.raises(WaitAndRetry):
        await source.resolve(ids(*range(50)))
    assert registry.most_together == 8
    registry.may_answer.set()
    assert len(await source.resolve(ids(*range(50)))) == 50


async def test_of_a_registry_that_is_down_nothing_is_concluded(registry: Registry) -> None:
    source, registry.down = SchemaSource(registry), True
    with pytest.raises(WaitAndRetry, match="down"):
        await source.resolve(ids(1, 100))
    registry.down = False
    assert await source.resolve(ids(1, 100)) == {1: {"id": 1}}


async def test_what_is_remembered_of_unknown_ids_is_bounded(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_source, "_MOST_ABSENT", 10)
    clock = Clock()
    source = SchemaSource(registry, clock)
    await source.resolve(ids(*range(100, 200)))
    assert len(source._absent_until) == 10
    clock.now += 5
    for number in range(200, 220):
        await source.resolve(ids(number))
    assert min(source._absent_until) >= 200, "what is over goes though there is room"


class Strict(Copying):
    """Needs the schemas that the records name."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def needed_schemas(self, records: Records) -> frozenset[SchemaId]:
        return records.schema_ids()

    def process(self, batch: Batch, schemas: Any) -> Any:
        self.sizes.append(sum(map(len, batch)))
        return super().process(batch, schemas)


def naming(schemas: Sequence[int], source: InputPartition = SOURCE) -> list[KafkaRecord]:
    return numbered(*(frame(SchemaId(number), b"") for number in schemas), source=source)


def bench_of(records: list[KafkaRecord], registry: Registry) -> tuple[Bench, Strict]:
    processor = Strict()
    bench = Bench(processor, records, sample_policy(1), batch_records=6_000)
    bench.runner._needs._schemas = SchemaSource(registry)
    limit = bench.runner._decisions.limit
    limit._allowed = 6_000
    limit.begin = lambda: None  # type: ignore[method-assign]
    return bench, processor


async def test_a_flood_of_unknown_ids_is_asked_for_in_parts_and_the_others_are_decided_at_once(
    registry: Registry,
) -> None:
    flood, good = naming(range(1_000, 4_000)), naming([1] * 20, OTHER)
    bench, processor = bench_of([*flood, *good], registry)
    while len(bench.written()) < len(good):
        await bench.turn()
    assert len(registry.asked) <= 100
    assert [record.value for record in good] == [value for _, value in bench.written()][-len(good) :]
    while len(bench.written()) < len(flood) + len(good):
        await bench.turn()
    values = [value for _, value in bench.written() if value != good[0].value]
    assert values == [record.value for record in flood], "in order, and nothing twice"
    assert max(processor.sizes) <= 100


class Trusting(Strict):
    """Reads what the bus itself wrote."""

    reads_own_writers = True


async def test_where_only_the_bus_writes_a_schema_that_the_registry_denies_is_waited_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "_AGAIN_SECONDS", 0.0)
    clock, processor = Clock(), Trusting()
    bench = Bench(processor, [*naming([1, 100, 2]), *naming([3] * 4, OTHER)], sample_policy(1))
    bench.runner._needs._schemas = SchemaSource(registry, clock)
    for _ in range(20):
        await bench.turn()
        await asyncio.sleep(0)
    assert sorted(value[4] for _, value in bench.written() if value) == [1, 3, 3, 3, 3]
    assert "in:0: the registry denies schema 100, which in:0:1 is written by" in bench.health.not_ready()
    registry.first_unknown = 101
    clock.now += 5
    while len(bench.written()) < 7:
        await bench.turn()
        await asyncio.sleep(0)
    assert [value[4] for _, value in bench.written()[5:] if value] == [100, 2]
    assert bench.health.not_ready() == []


async def test_who_loses_the_partition_waits_for_its_schema_no_more(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "_AGAIN_SECONDS", 60.0)
    bench = Bench(Trusting(), naming([100]), sample_policy(1))
    bench.runner._needs._schemas = SchemaSource(registry)
    await bench.run(2)
    assert any("denies" in reason for reason in bench.health.not_ready())
    bench.input.owned.pop(SOURCE)
    await bench.turn()
    assert not any("denies" in reason for reason in bench.health.not_ready())


async def test_many_schemas_that_are_known_are_no_flood(registry: Registry) -> None:
    bench, processor = bench_of(naming([*range(90)] * 5), registry)
    await bench.runner._needs._schemas.resolve(ids(*range(90)))
    await bench.run(3)
    assert processor.sizes == [450]
