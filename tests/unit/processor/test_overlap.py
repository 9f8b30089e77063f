"""A turn of several batches: each is decided while the one before it is being committed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.processor.contract import Batch, BatchResult, InputPartition
from services.processor.errors import (
    AbortTransaction,
    RecreateProducer,
)
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import bench_with, live
from topics.event import SchemaId


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
