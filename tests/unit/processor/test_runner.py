"""The runner's order: policy, producer, positions, catch-ups, acknowledgement, batches; and every failure."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from services.processor.acknowledgement import read_acknowledgement
from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition
from services.processor.errors import (
    AbortTransaction,
    ExitCode,
    OutputRefused,
    RecreateProducer,
    StopInstance,
    WaitAndRetry,
)
from tests.support.policy import sample_policy
from tests.unit.processor.fakes import SOURCE, Bench, Copying, numbered
from topics.engine.lanes import Lane
from topics.event import GrantId, OutputRecord, SchemaId
from topics.names import POLICY_ACKNOWLEDGEMENTS

POLICY = sample_policy(1)


def bench_with(*values: bytes, processor: Copying | None = None, batch_records: int = 16) -> Bench:
    return Bench(processor or Copying(), numbered(*values), POLICY, batch_records=batch_records)


def one_at_a_time(*values: bytes, processor: Copying | None = None) -> Bench:
    """Turns of one batch of one record."""
    bench = bench_with(*values, processor=processor, batch_records=1)
    bench.input.pauses = True
    return bench


def live(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"live", value) for value in values]


async def test_without_a_policy_nothing_is_decided() -> None:
    bench = Bench(Copying(), numbered(b"1"), None)
    await bench.run(5)
    assert bench.transactions.calls == []
    assert "no policy is adopted" in bench.health.not_ready()
    assert "policy: the policy topic is empty" in bench.health.not_ready()


async def test_a_policy_is_acknowledged_before_the_first_batch_is_decided() -> None:
    bench = bench_with(b"1", b"2")
    await bench.run(3)
    assert [each.topic for each in bench.transactions.committed] == [POLICY_ACKNOWLEDGEMENTS, "out", "out"]
    value = bench.transactions.committed[0].value or b""
    assert read_acknowledgement(value) == ("copying.0", 1)
    assert bench.written() == live(b"1", b"2")
    assert bench.health.not_ready() == []
    assert bench.input.stored[SOURCE] == (2, 1)


async def test_a_newer_policy_is_adopted_and_acknowledged_between_two_batches_and_once() -> None:
    bench = one_at_a_time(b"1", b"2", b"3")
    await bench.turn()
    bench.policy.newest = sample_policy(2)
    await bench.run(10)
    acknowledged = [value for _, value in bench.written(POLICY_ACKNOWLEDGEMENTS)]
    assert [read_acknowledgement(value or b"")[1] for value in acknowledged] == [1, 2]
    assert bench.input.stored[SOURCE] == (3, 2)
    assert bench.health.acknowledged_version == 2


async def test_an_unreadable_policy_record_closes_the_runner_until_a_higher_version_comes() -> None:
    bench = one_at_a_time(b"1", b"2")
    await bench.turn()
    bench.policy.blocked = "policy record: unreadable"
    await bench.run(5)
    assert bench.written() == live(b"1")
    assert "policy: policy record: unreadable" in bench.health.not_ready()
    assert bench.input.served > 0, "the group is served meanwhile"
    bench.policy.blocked, bench.policy.newest = None, sample_policy(2)
    await bench.run(5)
    assert bench.written() == live(b"1", b"2")


@pytest.mark.parametrize("at", [0, 7, 15])
async def test_a_record_that_breaks_the_processor_is_isolated_by_halves_and_the_others_go_on(at: int) -> None:
    values = [str(number).encode() for number in range(16)]
    values[at] = b"break"
    bench = bench_with(*values)
    await bench.run()
    wanted = [(b"LookupError" if value == b"break" else b"live", value) for value in values]
    assert bench.written() == wanted
    assert bench.input.taken[0] == 16
    assert 1 in bench.input.taken
    assert bench.metrics.counts["records"] == 16
    assert bench.metrics.outcomes["stopped"] == 1
    assert bench.health.not_ready() == []


async def test_two_broken_records_side_by_side_are_both_isolated() -> None:
    bench = bench_with(b"1", b"break", b"break", b"4")
    await bench.run()
    assert bench.written() == [
        (b"live", b"1"),
        (b"LookupError", b"break"),
        (b"LookupError", b"break"),
        (b"live", b"4"),
    ]


async def test_batches_grow_again_after_a_broken_record() -> None:
    bench = bench_with(b"break", *[b"x"] * 60, batch_records=8)
    await bench.run()
    assert bench.input.taken[-1] < bench.input.taken[-2] == 8


async def test_a_record_that_cannot_even_be_stopped_ends_the_instance_and_skips_nothing() -> None:
    bench = bench_with(b"1", b"hopeless", b"3")
    with pytest.raises(StopInstance) as told:
        await bench.run()
    assert told.value.code is ExitCode.DEFECT
    assert "in:0:1" in str(told.value)
    assert bench.input.stored[SOURCE] == (1, 1)


def refusing(bench: Bench, call: str, refused: Callable[[OutputRecord], bool]) -> None:
    """Kafka refuses a transaction with such a record, when it is handed over or when it is committed."""
    produce, commit = bench.transactions.produce, bench.transactions.commit
    written: list[OutputRecord] = []

    def judge(at: str) -> None:
        if at == call and any(map(refused, written)):
            raise OutputRefused("MSG_SIZE_TOO_LARGE")

    async def judged_produce(lanes: Iterable[Lane], trace: bytes | None = None) -> None:
        lanes = list(lanes)
        written[:] = chain.from_iterable(lanes)
        judge("produce")
        await produce(lanes, trace)

    async def judged_commit(*given: Any) -> None:
        judge("commit")
        await commit(*given)

    bench.transactions.produce = judged_produce  # type: ignore[method-assign]
    bench.transactions.commit = judged_commit  # type: ignore[method-assign]


@pytest.mark.parametrize("call", ["produce", "commit"])
async def test_a_record_of_which_too_much_would_be_written_is_isolated_and_the_others_go_on(
    call: str,
) -> None:
    values = [str(number).encode() for number in range(100)]
    values[70] = b"huge"
    bench = bench_with(*values, batch_records=200)
    refusing(bench, call, lambda output: output.value == b"huge" and output.key == b"live")
    await bench.run()
    wanted = [(b"OutputRefused" if value == b"huge" else b"live", value) for value in values]
    assert bench.written() == wanted
    assert bench.metrics.counts["defects"] <= 3
    assert bench.health.not_ready() == []


async def test_a_record_whose_stop_is_refused_too_ends_the_instance_and_skips_nothing() -> None:
    bench = bench_with(b"1", b"huge", b"3")
    refusing(bench, "commit", lambda output: output.value == b"huge")
    with pytest.raises(StopInstance) as told:
        await bench.run()
    assert told.value.code is ExitCode.DEFECT
    assert "in:0:1" in str(told.value)
    assert bench.input.stored[SOURCE] == (1, 1)


async def test_a_record_that_breaks_the_processor_is_isolated_though_other_partitions_have_much_to_do() -> (
    None
):
    other = InputPartition(SOURCE.topic, 1)
    busy = numbered(*[b"x"] * 2_000)
    bench = Bench(Copying(), [*busy, *numbered(b"break", source=other)], POLICY, batch_records=16)
    await bench.run(400)
    assert (b"LookupError", b"break") in bench.written()
    assert len(bench.written()) == 2_001
    assert bench.metrics.counts["defects"] <= 3


async def test_while_schemas_cannot_be_asked_for_the_batch_waits_and_comes_again() -> None:
    processor = Copying()
    processor.needed = frozenset({SchemaId(7)})
    bench = bench_with(b"1", b"2", processor=processor)
    bench.schemas.failures = [WaitAndRetry("schema registry: down")] * 3
    await bench.turn()
    assert bench.written() == []
    assert "waiting: schema registry: down" in bench.health.not_ready()
    assert bench.health.not_alive() == []
    await bench.run(10)
    assert bench.written() == live(b"1", b"2")
    assert bench.health.not_ready() == []


@pytest.mark.parametrize("call", ["begin", "produce", "commit"])
async def test_an_aborted_batch_is_decided_again_with_the_same_producer(call: str) -> None:
    processor = Copying()
    bench = one_at_a_time(b"1", b"2", processor=processor)
    await bench.turn()
    bench.transactions.failures[call] = [AbortTransaction("the group has moved on")]
    await bench.run(10)
    assert bench.written() == live(b"1", b"2")
    assert processor.revoked == [SOURCE]
    assert bench.transactions.calls.count("abort") == 1
    assert bench.transactions.calls.count("open") == 1
    assert bench.metrics.counts["rewinds"] == 1


@pytest.mark.parametrize("call", ["open", "begin", "produce", "commit"])
async def test_after_an_unknown_outcome_a_new_producer_decides_from_the_committed_offset(call: str) -> None:
    bench = bench_with(b"1", b"2")
    bench.transactions.failures[call] = [RecreateProducer("timed out")]
    await bench.run(10)
    assert bench.written() == live(b"1", b"2")
    assert bench.transactions.calls.count("open") == 2
    assert bench.health.not_ready() == []


async def test_a_new_producer_decides_nothing_until_the_policy_was_read_again() -> None:
    bench = one_at_a_time(b"1", b"2")
    await bench.turn()
    bench.transactions.failures["commit"] = [RecreateProducer("frozen for too long")]
    bench.policy.takes_time = True
    await bench.run(10)
    assert bench.transactions.calls.count("open") == 2
    assert bench.written() == live(b"1"), "somebody may have withdrawn a grant and fenced the one before"
    bench.policy.caught_up = True
    await bench.run(10)
    assert bench.written() == live(b"1", b"2")


class Noting(Copying):
    """Notes what it decides, and does what a test wants meanwhile."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.decided: list[bytes | None] = []
        self.meanwhile = meanwhile

    def process(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        self.decided += [record.value for records in batch for record in records]
        self.meanwhile()
        return super().process(batch, schemas)


async def test_a_batch_is_decided_while_the_one_before_it_is_being_committed() -> None:
    processor = Noting()
    bench = bench_with(b"1", b"2", b"3", processor=processor, batch_records=1)
    decided: list[list[bytes | None]] = []
    commit = bench.transactions.commit

    async def commit_late(positions: Mapping[InputPartition, int], *given: Any) -> None:
        for _ in range(20 if positions else 0):
            await asyncio.sleep(0)
        decided.append(list(processor.decided))
        await commit(positions, *given)

    bench.transactions.commit = commit_late  # type: ignore[method-assign]
    await bench.turn()
    assert decided == [[], [b"1", b"2"], [b"1", b"2", b"3"], [b"1", b"2", b"3"]]
    assert bench.written() == live(b"1", b"2", b"3")


@pytest.mark.parametrize("error", [AbortTransaction("refused"), RecreateProducer("timed out")])
async def test_what_was_decided_after_a_failed_transaction_is_not_written_but_decided_again(
    error: Exception,
) -> None:
    processor = Noting()
    bench = bench_with(b"1", b"2", b"3", processor=processor, batch_records=1)
    failures = [error]
    commit = bench.transactions.commit

    async def commit_badly(positions: Mapping[InputPartition, int], *given: Any) -> None:
        if positions and failures:
            raise failures.pop()
        await commit(positions, *given)

    bench.transactions.commit = commit_badly  # type: ignore[method-assign]
    await bench.run(5)
    assert processor.decided == [b"1", b"2", b"1", b"2", b"3"]
    assert processor.revoked == [SOURCE], "so that what it remembers is loaded anew"
    assert bench.written() == live(b"1", b"2", b"3")


async def test_batches_that_were_fetched_before_a_newer_policy_are_decided_by_it() -> None:
    processor = Noting()
    bench = bench_with(b"1", b"2", b"3", processor=processor, batch_records=1)

    def meanwhile() -> None:
        bench.policy.newest = sample_policy(2)

    processor.meanwhile = meanwhile
    await bench.turn()
    assert bench.written() == live(b"1")
    assert bench.input.stored[SOURCE] == (1, 1)
    await bench.run(5)
    assert bench.written() == live(b"1", b"2", b"3")
    assert bench.input.stored[SOURCE] == (3, 2)


async def test_nothing_is_decided_of_a_partition_that_a_later_fetch_of_the_turn_took_away() -> None:
    processor = Noting()
    bench = bench_with(b"1", processor=processor, batch_records=1)
    collect = bench.input.collect

    def collect_and_lose(max_records: int, _max_bytes: int) -> Batch:
        found = collect(max_records, _max_bytes)
        if not found:
            bench.input.owned.clear()
        return found

    bench.input.collect = collect_and_lose  # type: ignore[method-assign]
    assert await bench.turn() == 1
    assert processor.decided == []


async def test_closing_waits_for_the_commit_that_is_under_way() -> None:
    bench = bench_with(b"1")
    await bench.turn()
    committed = asyncio.Event()

    async def commit_late(*_: Any) -> None:
        await asyncio.sleep(0.01)
        committed.set()

    bench.transactions.commit = commit_late  # type: ignore[method-assign]
    bench.input.records += [replace(bench.input.records[0], offset=1)]
    turn = asyncio.create_task(bench.turn())
    await asyncio.sleep(0)
    await bench.runner.close()
    await turn
    assert committed.is_set()


async def test_an_abort_that_fails_leads_to_a_new_producer() -> None:
    bench = bench_with(b"1")
    bench.transactions.failures = {
        "commit": [AbortTransaction("refused")],
        "abort": [RecreateProducer("unknown")],
    }
    await bench.run(10)
    assert bench.written() == live(b"1")
    assert bench.transactions.calls.count("open") == 2


@pytest.mark.parametrize("call", ["open", "begin", "commit"])
async def test_a_fenced_instance_ends(call: str) -> None:
    bench = bench_with(b"1")
    bench.transactions.failures[call] = [StopInstance(ExitCode.FENCED, "fenced")]
    with pytest.raises(StopInstance, match="fenced"):
        await bench.run(10)
    assert bench.written() == []


@pytest.mark.parametrize(("low", "high", "fits"), [(5, 9, True), (6, 9, False), (0, 5, True), (0, 4, False)])
async def test_a_committed_offset_outside_the_log_ends_the_instance_and_skips_nothing(
    low: int, high: int, fits: bool
) -> None:
    bench = bench_with(*[b"x"] * 5)
    bench.input.stored[SOURCE] = (5, 1)
    bench.reader.low, bench.reader.high = low, high
    if fits:
        await bench.run(3)
        assert bench.health.not_ready() == []
        return
    with pytest.raises(StopInstance) as told:
        await bench.run(3)
    assert told.value.code is ExitCode.POSITION_LOST


async def test_a_partition_without_a_committed_offset_starts_where_the_log_begins() -> None:
    bench = bench_with(b"1", b"2", b"3")
    bench.reader.low = 1
    await bench.run(3)
    assert bench.written() == live(b"2", b"3")


async def test_the_bounded_rest_comes_before_the_partition_goes_on_and_only_once() -> None:
    processor = Copying()
    processor.due = (CatchUp(SOURCE, 0, 2, (GrantId("g"),)),)
    bench = bench_with(b"1", b"2", b"3", processor=processor)
    bench.input.stored[SOURCE] = (2, 0)
    await bench.run(5)
    assert bench.written() == [(b"caught up", b"old"), (b"caught up", b"old"), (b"live", b"3")]
    assert bench.reader.pieces == [(SOURCE, 0, 2)]
    assert bench.input.stored[SOURCE] == (3, 1)


async def test_closing_aborts_what_is_open_and_lets_go() -> None:
    bench = bench_with(b"1")
    await bench.turn()
    await bench.runner.close()
    assert bench.transactions.calls[-1] == "abort"
    assert not bench.transactions.usable


async def test_a_partition_decided_under_a_newer_policy_waits_for_that_policy() -> None:
    """An instance that was frozen must not go on, under its older policy, where another has been."""
    bench = bench_with(b"1", b"2", b"3")
    bench.input.stored[SOURCE] = (1, 7)
    await bench.run(3)
    assert bench.written() == []
    assert any("policy 7" in reason for reason in bench.health.not_ready())
