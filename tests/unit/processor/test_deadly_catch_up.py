"""A record of a catch-up that ends the process is withheld after three attempts at most; the others come."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.processor.attempts import AttemptLog, Suspect
from services.processor.contract import BatchResult, CatchUp, InputPartition
from services.processor.decisions import PROCESS_DIED
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, FakeAttempts, numbered
from topics.engine.records import Records
from topics.event import GrantId, KafkaRecord, SchemaId, TopicName

OTHER = InputPartition(TopicName("in"), 1)
DIED = b"caught up: " + PROCESS_DIED.encode()
CAUGHT_UP = b"caught up"


class Deadly(Copying):
    """Ends the process over ``die`` in a catch-up; lacks everything before the committed offset."""

    reads_own_writers = False

    def __init__(self, count: int, *sources: InputPartition) -> None:
        super().__init__()
        self.count, self.lacking = count, sources or (SOURCE,)
        self.sizes: list[int] = []
        self.seen: Callable[[], None] = lambda: None

    def catch_ups(self, source: InputPartition, _position: int, applied: int) -> tuple[CatchUp, ...]:
        if source not in self.lacking or applied >= self.version:
            return ()
        return (CatchUp(source, 0, self.count, (GrantId("g"),)),)

    def process_catch_up(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> BatchResult:
        self.sizes.append(len(records))
        self.seen()
        if any(record.value == b"die" for record in records):
            os._exit(1)
        return super().process_catch_up(catch_up, records, schemas)


def catching_up(processor: Deadly, *values: bytes, log: Any = None) -> Bench:
    """A bench that has committed these records of both partitions, and has one more of each."""
    records = {source: numbered(*values, b"after", source=source) for source in (SOURCE, OTHER)}
    every = [record for found in records.values() for record in found]
    bench = Bench(processor, every, sample_policy(1), catch_up_attempts=log)
    for source in (SOURCE, OTHER):
        bench.input.stored[source] = (len(values), 0)

    async def read(source: InputPartition, start: int, end: int) -> list[KafkaRecord]:
        return records[source][start:end]

    bench.reader.read = read  # type: ignore[method-assign]
    return bench


async def until(bench: Bench, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await bench.turn()
        await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left open here would end the process of the tests."""
    monkeypatch.setattr("services.processor.attempts.signal.setitimer", lambda *_: None)


async def test_what_the_process_died_over_is_tried_in_a_child_while_the_other_partitions_go_on() -> None:
    values = [b"0", b"1", b"die", b"3"]
    bench = catching_up(Deadly(4), *values, log=FakeAttempts(Suspect(SOURCE, 0, 4, 1)))
    await until(bench, lambda: len(bench.written()) == 6)
    assert bench.written() == [
        (b"live", b"after"),
        (CAUGHT_UP, b"0"),
        (CAUGHT_UP, b"1"),
        (DIED, b"die"),
        (CAUGHT_UP, b"3"),
        (b"live", b"after"),
    ]
    assert bench.metrics.counts["probes"] == 1
    assert bench.input.stored[SOURCE] == (5, 1)


async def test_while_a_slice_is_decided_the_file_says_so_and_afterwards_it_does_not(tmp_path: Path) -> None:
    log = AttemptLog(tmp_path / "copying.0.attempt").beside(".catch-up")
    processor = Deadly(3)
    told: list[tuple[Suspect, ...]] = []
    processor.seen = lambda: told.append(AttemptLog(tmp_path / "copying.0.catch-up").suspects)
    bench = catching_up(processor, b"0", b"1", b"2", log=log)
    await until(bench, lambda: len(bench.written()) == 5)
    assert told == [(Suspect(SOURCE, 0, 3, 1),)]
    assert AttemptLog(tmp_path / "copying.0.catch-up").suspects == ()
    assert AttemptLog(tmp_path / "copying.0.attempt").suspects == ()


async def test_who_takes_over_knows_what_the_other_instance_died_over(tmp_path: Path) -> None:
    dead = AttemptLog(tmp_path / "copying.0.catch-up")
    dead.keep([Suspect(SOURCE, 1, 3, 1)])
    dead.end()
    bench = catching_up(Deadly(3), b"0", b"1", b"die", log=AttemptLog(tmp_path / "copying.1.catch-up"))
    await until(bench, lambda: len(bench.written()) == 5)
    assert (DIED, b"die") in bench.written()


async def test_what_killed_the_process_twice_though_no_child_died_is_delivered_record_by_record() -> None:
    processor = Deadly(4)
    bench = catching_up(processor, b"0", b"1", b"2", b"3", log=FakeAttempts(Suspect(SOURCE, 0, 3, 2)))
    await until(bench, lambda: len(bench.written()) == 6)
    assert processor.sizes == [1, 1, 1, 1]
    assert DIED not in [key for key, _ in bench.written()]


async def test_a_record_that_stood_alone_when_the_process_died_again_is_not_tried_any_more() -> None:
    processor = Deadly(3)
    bench = catching_up(processor, b"0", b"die", b"2", log=FakeAttempts(Suspect(SOURCE, 1, 2, 2)))
    await until(bench, lambda: len(bench.written()) == 5)
    assert (DIED, b"die") in bench.written()
    assert processor.sizes == [1, 1]


async def test_what_is_committed_is_suspected_no_more() -> None:
    log = FakeAttempts(Suspect(SOURCE, 0, 2, 1))
    bench = catching_up(Deadly(2), b"0", b"1", log=log)
    await until(bench, lambda: len(bench.written()) == 4)
    assert log.kept == set()
    assert log.begun == [(0, 2, 2)]


async def test_a_schema_that_the_registry_must_have_and_denies_is_waited_for_and_holds_up_no_other() -> None:
    """Nothing is withheld for it: the gate wrote with that schema."""
    processor = Deadly(2, SOURCE, OTHER)
    processor.reads_own_writers = True
    absent = {SOURCE}

    def needed(records: Records) -> frozenset[SchemaId]:
        source = InputPartition(records.topic, records.partition)
        return frozenset({SchemaId(7)} if source in absent and records[0].offset < 2 else ())

    processor.needed_schemas = needed  # type: ignore[method-assign, assignment]
    bench = catching_up(processor, b"0", b"1")
    await until(bench, lambda: len(bench.written()) == 3)
    assert bench.input.stored[OTHER] == (3, 1)
    assert any("denies schema 7" in reason for reason in bench.health.not_ready())
    absent.clear()
    bench.runner._catch_ups._waiting.clear()
    await until(bench, lambda: len(bench.written()) == 6)
    assert bench.input.stored[SOURCE] == (3, 1)
    assert bench.health.not_ready() == []
