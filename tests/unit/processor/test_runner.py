"""The runner's order: policy, producer, positions, catch-ups, acknowledgement, batches; and every failure."""

import pytest

from services.processor.acknowledgement import read_acknowledgement
from services.processor.contract import CatchUp, InputPartition
from services.processor.errors import (
    AbortTransaction,
    ExitCode,
    RecreateProducer,
    StopInstance,
    WaitAndRetry,
)
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, bench_with, live, numbered
from topics.event import GrantId, SchemaId
from topics.names import POLICY_ACKNOWLEDGEMENTS

POLICY = sample_policy(1)


def one_at_a_time(*values: bytes, processor: Copying | None = None) -> Bench:
    """Turns of one batch of one record."""
    bench = bench_with(*values, processor=processor, batch_records=1)
    bench.input.pauses = True
    return bench


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


async def test_an_idle_instance_is_ready_once_its_producer_could_be_opened() -> None:
    bench = bench_with()
    bench.transactions.failures["open"] = [RecreateProducer("timed out")]
    await bench.run(1)
    assert "transaction: timed out" in bench.health.not_ready()
    await bench.run(10)
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
