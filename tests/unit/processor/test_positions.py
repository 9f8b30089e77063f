"""New partitions are positioned together, and whoever reads for long still answers the group."""

import asyncio
from collections.abc import Callable

import pytest

from services.processor.consumer import Owned, Stage
from services.processor.contract import CatchUp, InputPartition
from services.processor.errors import ExitCode, RecreateProducer, StopInstance, WaitAndRetry
from services.processor.positions import Positions
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, FakeInput, FakeReader, numbered
from topics.event import GrantId, KafkaRecord, TopicName

OTHER = InputPartition(SOURCE.topic, 1)
STATE = TopicName("state")


class Remembering(Copying):
    """Has a state partition beside each of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.assigned: dict[InputPartition, int] = {}
        self.loaded: list[InputPartition] = []

    def state_partition(self, source: InputPartition) -> InputPartition:
        return InputPartition(STATE, source.partition)

    def assign(self, source: InputPartition, position: int) -> None:
        self.assigned[source] = position

    def load(self, source: InputPartition, _records: object) -> None:
        self.loaded.append(source)


class SlowReader(FakeReader):
    """Its state is there once the group was served so many times; tells how many wait at the same time."""

    def __init__(self, group: FakeInput, after: int) -> None:
        super().__init__()
        self._group, self._after = group, after
        self.waiting = self.most_waiting = 0

    async def last_values(self, _source: InputPartition) -> dict[bytes, bytes]:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        while self._group.served < self._after:
            await asyncio.sleep(0.001)
        self.waiting -= 1
        return {}


class Desk:
    """Two fresh partitions of ours; a test may let something happen when the group is served."""

    def __init__(self, after: int = 2) -> None:
        self.input = FakeInput(numbered(b"1") + numbered(b"1", source=OTHER))
        self.input.subscribe(frozenset({SOURCE.topic}))
        self.processor = Remembering()
        self.reader = SlowReader(self.input, after)
        parts: tuple[object, ...] = (self.input, self.reader, self.processor)
        self.positions = Positions(*parts)  # type: ignore[arg-type]

    def when_served(self, happens: Callable[[], None]) -> None:
        def serve() -> None:
            self.input.served += 1
            if self.input.served == 1:
                happens()

        self.input.serve = serve  # type: ignore[method-assign]


async def test_all_new_partitions_are_read_at_the_same_time_while_the_group_is_served() -> None:
    desk = Desk()
    desk.input.stored = {SOURCE: (7, 3), OTHER: (9, 3)}
    assert await desk.positions.take(3)
    assert desk.reader.most_waiting == 2
    assert desk.input.served == 2
    assert desk.processor.assigned == {SOURCE: 7, OTHER: 9}
    assert {owned.stage for owned in desk.input.owned.values()} == {Stage.BEHIND}


async def test_without_new_partitions_nobody_is_asked_and_nothing_stops() -> None:
    desk = Desk()
    for owned in desk.input.owned.values():
        owned.stage = Stage.READY
    assert not await desk.positions.take(3)
    assert {owned.stage for owned in desk.input.owned.values()} == {Stage.READY}


async def test_what_is_ready_pauses_meanwhile_since_serving_the_group_passes_records_over() -> None:
    desk = Desk()
    desk.input.owned[OTHER].stage = Stage.READY
    seen: list[Stage] = []
    desk.when_served(lambda: seen.append(desk.input.owned[OTHER].stage))
    await desk.positions.take(3)
    assert seen == [Stage.BEHIND]
    assert desk.processor.loaded == [SOURCE]


@pytest.mark.parametrize("given_back", [False, True])
async def test_a_partition_that_was_taken_away_meanwhile_keeps_nothing_of_what_was_read(
    *, given_back: bool
) -> None:
    """Another may have decided its records since: what was read is old."""
    desk = Desk()

    def rebalance() -> None:
        del desk.input.owned[OTHER]
        if given_back:
            desk.input.owned[OTHER] = Owned()

    desk.when_served(rebalance)
    await desk.positions.take(3)
    assert desk.processor.loaded == [SOURCE]
    assert desk.input.in_stage(Stage.FRESH) == ([OTHER] if given_back else [])


async def test_a_lost_position_ends_the_instance_though_another_partition_is_all_right() -> None:
    desk = Desk(after=0)
    desk.input.stored = {SOURCE: (7, 3), OTHER: (desk.reader.high + 1, 3)}
    with pytest.raises(StopInstance) as stopped:
        await desk.positions.take(3)
    assert stopped.value.code is ExitCode.POSITION_LOST
    assert desk.processor.loaded == []


async def test_a_partition_of_a_newer_policy_waits_and_nothing_is_half_positioned() -> None:
    desk = Desk(after=0)
    desk.input.stored = {SOURCE: (7, 3), OTHER: (9, 4)}
    with pytest.raises(WaitAndRetry, match="policy 4"):
        await desk.positions.take(3)
    assert desk.input.in_stage(Stage.FRESH) == [SOURCE, OTHER]


async def test_an_instance_that_is_fenced_while_it_reads_stops_at_once() -> None:
    desk = Desk(after=1_000_000)

    def fenced() -> None:
        raise StopInstance(ExitCode.FENCED, "another took over")

    desk.when_served(fenced)
    with pytest.raises(StopInstance, match="took over"):
        await desk.positions.take(3)


async def test_the_group_is_served_while_the_producer_is_made() -> None:
    bench = Bench(Copying(), numbered(b"1"), sample_policy(1))
    opening = bench.transactions.open

    async def slow_open() -> None:
        while bench.input.served < 2:
            await asyncio.sleep(0.001)
        await opening()

    bench.transactions.open = slow_open  # type: ignore[method-assign]
    await bench.run(3)
    assert bench.written() == [(b"live", b"1")]


async def test_who_reads_for_long_is_alive_and_says_that_its_partitions_wait() -> None:
    bench = Bench(Copying(), numbered(b"1"), sample_policy(1))
    seen: list[tuple[list[str], list[str]]] = []

    async def slow_bounds(_source: InputPartition) -> tuple[int, int]:
        bench.health.last_turn = -1_000_000.0
        while bench.input.served < 2:
            await asyncio.sleep(0.001)
        seen.append((bench.health.not_alive(), bench.health.not_ready()))
        return 0, 1

    bench.reader.bounds = slow_bounds  # type: ignore[method-assign]
    await bench.run(3)
    [(not_alive, not_ready)] = seen
    assert not_alive == []
    assert "1 partitions are not positioned and loaded" in not_ready


async def test_a_producer_that_cannot_be_made_is_made_anew() -> None:
    bench = Bench(Copying(), numbered(b"1"), sample_policy(1))
    bench.transactions.failures["open"] = [RecreateProducer("Kafka does not answer")]
    await bench.run(4)
    assert bench.written() == [(b"live", b"1")]


async def test_a_catch_up_of_a_partition_that_was_taken_away_meanwhile_writes_nothing() -> None:
    processor = Copying()
    processor.due = (CatchUp(SOURCE, 0, 2, (GrantId("grant"),)),)
    bench = Bench(processor, numbered(b"1", b"2", b"3"), sample_policy(1))
    bench.input.stored[SOURCE] = (2, 0)
    reading = bench.reader.read

    async def taken_away(source: InputPartition, start: int, end: int) -> list[KafkaRecord]:
        found = await reading(source, start, end)
        del bench.input.owned[SOURCE]
        return found

    bench.reader.read = taken_away  # type: ignore[method-assign]
    await bench.run(3)
    assert bench.written() == []
