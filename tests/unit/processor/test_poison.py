"""A record that ends the process is isolated after at most three attempts, while other partitions go on."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from services.processor.attempts import AttemptLog, Suspect
from services.processor.batch_limit import BatchLimit
from services.processor.contract import Batch, BatchResult, InputPartition
from services.processor.decisions import PROCESS_DIED
from services.processor.probe import deadly_records
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.engine.records import PartitionRecords
from topics.event import SchemaId, TopicName

OTHER = InputPartition(TopicName("in"), 1)
POLICY = sample_policy(1)


class Deadly(Copying):
    """Ends the process for the value ``die``, never ends for ``hang``; deaths are noted in a file."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._note = None if folder is None else folder / "deaths"

    def process(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        for record in chain.from_iterable(batch):
            if record.value == b"hang":
                signal.pause()
            if record.value == b"die":
                if self._note is not None:
                    with self._note.open("a") as note:
                        note.write("x")
                os._exit(1)
        return super().process(batch, schemas)


def of_partition(*values: bytes) -> PartitionRecords:
    return PartitionRecords(*SOURCE, numbered(*values))


async def test_records_that_end_a_process_are_found_in_a_child_and_tried_twice(tmp_path: Path) -> None:
    records = of_partition(b"1", b"die", b"3", b"break", b"die", b"6")
    assert await deadly_records(Deadly(tmp_path), records, {}) == {1, 4}
    assert (tmp_path / "deaths").read_text() == "x" * 4


async def test_a_record_over_which_a_process_never_ends_is_found_too() -> None:
    assert await deadly_records(Deadly(), of_partition(b"1", b"hang", b"3"), {}, patience_s=0.2) == {1}


async def test_records_that_harm_nobody_are_no_longer_suspected() -> None:
    assert await deadly_records(Deadly(), of_partition(b"1", b"break"), {}) == frozenset()


async def until(bench: Bench, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await bench.turn()
        await asyncio.sleep(0.001)


async def test_what_the_process_died_over_is_tried_in_a_child_while_other_partitions_go_on() -> None:
    values = [b"1", b"2", b"die", b"4", b"5"]
    records = numbered(*values) + numbered(b"a", b"b", source=OTHER)
    bench = Bench(Deadly(), records, POLICY, suspects=(Suspect(SOURCE, 0, 4, 1),))
    await bench.turn()
    assert bench.written() == [(b"live", b"a"), (b"live", b"b")]
    assert any("partitions are not positioned" in reason for reason in bench.health.not_ready())
    await until(bench, lambda: len(bench.written()) == 7)
    assert bench.written()[2:] == [
        (b"live", b"1"),
        (b"live", b"2"),
        (PROCESS_DIED.encode(), b"die"),
        (b"live", b"4"),
        (b"live", b"5"),
    ]
    assert bench.health.not_ready() == []


async def test_what_the_process_died_over_is_tried_to_its_end_though_it_comes_in_several_batches() -> None:
    records = numbered(b"1", b"2", b"3", b"die", b"5", b"6")
    bench = Bench(Deadly(), records, POLICY, suspects=(Suspect(SOURCE, 0, 5, 1),), batch_records=2)
    await until(bench, lambda: len(bench.written()) == 6)
    assert bench.written()[2:5] == [(b"live", b"3"), (PROCESS_DIED.encode(), b"die"), (b"live", b"5")]


async def test_what_killed_the_process_twice_though_no_child_died_is_decided_record_by_record() -> None:
    bench = Bench(Copying(), numbered(b"1", b"2", b"3", b"4"), POLICY, suspects=(Suspect(SOURCE, 0, 3, 2),))
    await until(bench, lambda: len(bench.written()) == 4)
    assert bench.attempts.begun == [(0, 1, 3), (1, 2, 3), (2, 3, 3), (3, 4, 1)]


async def test_a_record_that_stood_alone_when_the_process_died_again_is_not_decided_any_more() -> None:
    bench = Bench(Deadly(), numbered(b"1", b"die", b"3"), POLICY, suspects=(Suspect(SOURCE, 1, 2, 3),))
    await until(bench, lambda: len(bench.written()) == 3)
    assert bench.written() == [(b"live", b"1"), (PROCESS_DIED.encode(), b"die"), (b"live", b"3")]


async def test_after_one_death_that_nobody_is_to_blame_for_batches_are_whole_again() -> None:
    bench = Bench(Copying(), numbered(*[b"x"] * 6), POLICY, suspects=(Suspect(SOURCE, 0, 4, 1),))
    await until(bench, lambda: len(bench.written()) == 6)
    assert bench.attempts.begun == [(0, 6, 2)]
    assert not bench.attempts.open


def test_what_was_being_decided_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "run" / "gate.0.attempt"
    log = AttemptLog(path)
    log.begin([of_partition(b"1", b"2"), PartitionRecords(*OTHER, numbered(b"1", source=OTHER))], 2)
    assert AttemptLog(path).suspects == (Suspect(SOURCE, 0, 2, 2), Suspect(OTHER, 0, 1, 2))
    signal.setitimer(signal.ITIMER_PROF, 3.0)
    log.goes_on()
    assert signal.getitimer(signal.ITIMER_PROF)[0] > 5.0, "after each step the next has as much time again"
    log.begin([of_partition(b"1")], 1)
    assert AttemptLog(path).suspects == (Suspect(SOURCE, 0, 1, 1),)
    log.end()
    assert AttemptLog(path).suspects == ()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"[7]", b"[[1]]", b'{"attempt": 1}', b"\xff"])
def test_a_torn_or_strange_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "attempt"
    path.write_bytes(content)
    assert AttemptLog(path).suspects == ()


ENDLESS = """
import sys
from pathlib import Path
from services.processor import attempts
attempts._MOST_CPU_SECONDS = 0.2
log = attempts.AttemptLog(Path(sys.argv[1]))
log.begin([], 1)
while True:
    pass
"""


def test_a_decision_that_never_ends_is_ended_by_the_kernel(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, "-c", ENDLESS, str(tmp_path / "a")], timeout=60, check=False)
    assert found.returncode == -signal.SIGPROF


def test_batches_grow_while_they_are_quick_and_shrink_at_once_when_one_is_slow() -> None:
    limit = BatchLimit(2_000)
    sizes = []
    for _ in range(9):
        sizes.append(limit.value)
        limit.took(limit.value, limit.value * 1e-6)
        limit.passed()
    assert sizes == [20, 40, 80, 160, 320, 640, 1_280, 2_000, 2_000]
    limit.took(100, 0.1)
    assert limit.value == 200, "a batch of 200 takes 200 ms"
    for _ in range(100):
        limit.took(50, 50e-6)
    assert limit.value == 2_000
    limit.took(10, 10.0)
    assert limit.value == 1
    limit.begin()
    assert limit.value == 20, "under another policy a record may cost anything"


def test_after_a_transaction_that_was_not_over_in_time_batches_are_half_as_large_and_grow_again() -> None:
    limit = BatchLimit(6_000)
    for _ in range(10):
        limit.passed()
    limit.took(1_000, 0.2)
    limit.late()
    assert limit.value == 500
    for _ in range(20):
        limit.late()
    assert limit.value == 1
    for _ in range(20):
        limit.passed()
    assert limit.value == 1_000, "what deciding takes bounds it again"


def test_after_a_defect_batches_are_so_small_that_the_third_attempt_is_at_one_record() -> None:
    limit = BatchLimit(6_000)
    for _ in range(10):
        limit.passed()
    sizes = [limit.value]
    for _ in range(2):
        limit.failed(limit.value)
        sizes.append(limit.value)
    assert sizes == [6_000, 75, 1]
    limit.passed()
    assert limit.value == 2
