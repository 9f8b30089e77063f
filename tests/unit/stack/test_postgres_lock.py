"""A killed PostgreSQL server leaves its lock: a new one starts as soon as nothing of the old one is left."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.stack.postgres_lock import LOCK, refused_by_leftovers, remove_stale_lock
from tests.support.waiting import eventually

ENDED = "import sys, time; time.sleep(0.6); print(sys.argv[1], file=sys.stderr); sys.exit(1)"
LET_IN = "import os, pathlib, time; pathlib.Path('postmaster.pid').write_text(f'{os.getpid()}' + '\\nx' * 7)"


def lock(data: Path, pid: int) -> None:
    (data / LOCK).write_text(f"{pid}\n{data}\n1\n5432\n\n*\n  1  2\nready   \n", encoding="utf-8")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose folder is another one than the data's."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=elsewhere)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    found = tmp_path / "data"
    found.mkdir()
    return found


def test_a_folder_without_a_lock_is_left_as_it_is(data: Path) -> None:
    assert not remove_stale_lock(data)
    (data / LOCK).write_text("", encoding="utf-8")
    assert not remove_stale_lock(data)
    assert (data / LOCK).exists()


def test_the_lock_of_a_killed_server_that_nobody_collected_is_removed(
    data: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    lock(data, sleeper.pid)
    sleeper.kill()
    eventually(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE, 10)
    assert remove_stale_lock(data)
    assert not (data / LOCK).exists()


def test_the_lock_whose_number_another_program_has_is_removed(
    data: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    lock(data, sleeper.pid)
    assert remove_stale_lock(data)


def test_a_lock_is_never_removed_while_a_process_works_in_the_folder(
    data: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    """Also where it is not the one that the lock names: it may be what is left of the killed one."""
    lock(data, sleeper.pid)
    code = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(code, cwd=data) as left:
        assert not remove_stale_lock(data)
        left.kill()
    assert remove_stale_lock(data)


def test_a_lock_whose_number_nobody_has_is_for_the_server_to_judge(
    data: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    lock(data, sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert not remove_stale_lock(data)
    assert (data / LOCK).exists()


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ('FATAL:  lock file "postmaster.pid" already exists', True),
        ("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", True),
        ('FATAL:  could not bind IPv4 address "127.0.0.1": Address already in use', False),
    ],
)
def test_a_server_that_is_refused_late_is_noticed_with_its_reason(
    data: Path, told: str, *, refused: bool
) -> None:
    log = data / "log"
    log.write_text("of an earlier start: is still in use\n", encoding="utf-8")
    begin = log.stat().st_size
    with log.open("ab") as output:
        process = psutil.Popen([sys.executable, "-c", ENDED, told], stderr=output)
    assert refused_by_leftovers(process, data, log, begin) is refused


def test_a_server_that_has_its_folder_is_not_waited_for_any_longer(data: Path) -> None:
    log = data / "log"
    log.touch()
    process = psutil.Popen([sys.executable, "-c", f"{LET_IN}; time.sleep(60)"], cwd=data)
    try:
        assert not refused_by_leftovers(process, data, log, 0)
        assert process.is_running()
    finally:
        process.kill()
        process.wait()
