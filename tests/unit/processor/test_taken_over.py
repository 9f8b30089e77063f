"""What one instance died over is known to the one that takes its partition over: one death, not one each."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.processor.attempts import AttemptLog, Suspect
from services.processor.batch_limit import BatchLimit
from services.processor.contract import InputPartition
from services.processor.decisions import PROCESS_DIED, Decisions
from services.processor.metrics import Metrics
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from tests.unit.processor.test_poison import Deadly
from topics.engine.records import PartitionRecords, Records
from topics.event import TopicName

OTHER = InputPartition(TopicName("in"), 1)
POLICY = sample_policy(1)


def log_of(folder: Path, instance: int, group: str = "copying") -> AttemptLog:
    return AttemptLog(folder / f"{group}.{instance}.attempt")


def deciding(log: AttemptLog, first: int, count: int, attempt: int, source: InputPartition = SOURCE) -> None:
    """As an instance leaves its file that dies now."""
    records: Records = PartitionRecords(*source, numbered(*[b"x"] * (first + count), source=source)[first:])
    log.begin([records], attempt)


def instance(folder: Path, number: int, *values: bytes) -> Bench:
    return Bench(Deadly(), numbered(*values), POLICY, attempts=log_of(folder, number))


@pytest.fixture(autouse=True)
def no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here dies: what is left open would end the process of the tests."""
    monkeypatch.setattr("services.processor.attempts.signal.setitimer", lambda *_: None)


async def until(bench: Bench, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await bench.turn()
        await asyncio.sleep(0.001)


async def test_who_takes_over_tries_in_a_child_what_the_other_instance_died_over(tmp_path: Path) -> None:
    second = instance(tmp_path, 1, b"1", b"die", b"3")
    deciding(log_of(tmp_path, 0), 0, 3, 1)
    await until(second, lambda: len(second.written()) == 3)
    assert second.written() == [(b"live", b"1"), (PROCESS_DIED.encode(), b"die"), (b"live", b"3")]
    assert second.metrics.counts["probes"] == 1


async def test_the_number_of_deaths_goes_on_from_instance_to_instance(tmp_path: Path) -> None:
    deciding(log_of(tmp_path, 0), 0, 3, 1)
    deciding(log_of(tmp_path, 1), 1, 1, 2)
    third = Bench(Copying(), numbered(b"1", b"2", b"3"), POLICY, attempts=log_of(tmp_path, 2))
    await until(third, lambda: len(third.written()) == 3)
    assert third.written()[1] == (PROCESS_DIED.encode(), b"2")


async def test_what_is_committed_is_suspected_by_nobody_whatever_an_old_file_says(tmp_path: Path) -> None:
    deciding(log_of(tmp_path, 0), 0, 2, 1)
    second = instance(tmp_path, 1, b"1", b"2", b"3")
    second.input.stored[SOURCE] = (2, 1)
    await until(second, lambda: len(second.written()) == 1)
    assert second.metrics.counts["probes"] == 0


def test_a_frozen_instance_that_goes_on_writing_takes_nothing_from_the_file_of_the_owner(
    tmp_path: Path,
) -> None:
    frozen, owner = log_of(tmp_path, 0), log_of(tmp_path, 1)
    deciding(frozen, 0, 3, 1)
    deciding(owner, 0, 3, 2)
    frozen.end()
    assert log_of(tmp_path, 2).others() == (Suspect(SOURCE, 0, 3, 2),)


def test_only_instances_of_the_same_group_are_listened_to(tmp_path: Path) -> None:
    for group in ("copying.x", "copy", "fanout.[a]"):
        deciding(log_of(tmp_path, 0, group), 0, 3, 1)
    assert log_of(tmp_path, 1).others() == ()
    assert log_of(tmp_path, 1, "fanout.[a]").others() == (Suspect(SOURCE, 0, 3, 1),)


def test_what_is_suspect_stands_in_the_file_while_another_partition_is_decided(tmp_path: Path) -> None:
    log = log_of(tmp_path, 0)
    log.keep([Suspect(SOURCE, 0, 3, 1)])
    deciding(log, 5, 1, 2, OTHER)
    assert log_of(tmp_path, 1).others() == (Suspect(SOURCE, 0, 3, 1), Suspect(OTHER, 5, 6, 2))


def decisions(log: AttemptLog) -> Decisions:
    return Decisions(Copying(), BatchLimit(100), log, Metrics("copying.0"))


async def test_a_suspicion_outlives_later_decisions_about_other_partitions(tmp_path: Path) -> None:
    deciding(log_of(tmp_path, 0), 0, 3, 1)
    again = decisions(log_of(tmp_path, 0))
    other: Records = PartitionRecords(*OTHER, numbered(b"1", source=OTHER))
    await again.decide([other], {})
    assert log_of(tmp_path, 1).others() == (Suspect(SOURCE, 0, 3, 1),), "its partition may be another's now"
    again.done([PartitionRecords(*SOURCE, numbered(b"1", b"2", b"3"))])
    await again.decide([other], {})
    assert log_of(tmp_path, 1).others() == ()
