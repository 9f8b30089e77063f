"""Detached processes: known by pid and start time, stopped with patience, never confused with another."""

import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from services.stack.process import NOBODY, Command, Identity, PidFile, find, memory_mb, start_detached, stop
from tests.support.waiting import eventually

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
Start = Callable[[str], psutil.Process]


wait_for = partial(eventually, seconds=15.0)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[psutil.Process] = []

    def run(program: str) -> psutil.Process:
        command = Command([sys.executable, "-c", program], {}, tmp_path)
        started.append(start_detached(command, tmp_path / "log", PidFile(tmp_path / "p.pid")))
        return started[-1]

    yield run
    for process in started:
        stop(process, signal.SIGKILL, 5)


def test_a_started_process_is_found_by_its_pid_file_until_it_ends(start: Start, tmp_path: Path) -> None:
    process = start("import time; time.sleep(600)")
    found = PidFile(tmp_path / "p.pid").running()
    assert found is not None
    assert found.pid == process.pid
    assert stop(process, signal.SIGTERM, 10) is True
    assert PidFile(tmp_path / "p.pid").running() is None


_PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""


def test_a_child_that_is_a_component_of_its_own_is_neither_waited_for_nor_killed(start: Start) -> None:
    parent = start(_PARENT)
    wait_for(parent.children)
    [child] = parent.children()
    try:
        assert stop(parent, signal.SIGTERM, 10, {child.pid})
        assert child.is_running()
    finally:
        child.kill()


def test_what_cannot_be_remembered_does_not_go_on(tmp_path: Path) -> None:
    command = Command([sys.executable, "-c", "import time; time.sleep(600)"], {}, tmp_path)
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(OSError, match="missing"):
        start_detached(command, tmp_path / "log", PidFile(tmp_path / "missing" / "p.pid"))
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_killed_process_counts_as_gone_though_it_is_a_child_nobody_waited_for(
    start: Start, tmp_path: Path
) -> None:
    process = start("import time; time.sleep(600)")
    process.kill()
    wait_for(lambda: PidFile(tmp_path / "p.pid").running() is None)


def test_a_process_that_got_the_pid_of_an_older_one_is_not_taken_for_it(start: Start) -> None:
    process = start("import time; time.sleep(600)")
    assert find(Identity(process.pid, process.create_time() - 60)) is None


def test_a_process_that_ignores_the_request_is_killed_after_the_time(start: Start, tmp_path: Path) -> None:
    process = start(STUBBORN)
    wait_for(lambda: "ready" in (tmp_path / "log").read_text())
    assert stop(process, signal.SIGTERM, 0.3) is False
    assert PidFile(tmp_path / "p.pid").running() is None


def test_children_end_with_their_parent(start: Start, tmp_path: Path) -> None:
    process = start(WITH_CHILD)
    wait_for(lambda: (tmp_path / "log").read_text().strip())
    child = int((tmp_path / "log").read_text())
    stop(process, signal.SIGTERM, 0.5)
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_a_process_is_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(start: Start) -> None:
    import os

    process = start("import time; time.sleep(600)")
    assert os.getsid(process.pid) == process.pid


def test_the_log_is_private_and_memory_is_measured(start: Start, tmp_path: Path) -> None:
    process = start("import time; time.sleep(600)")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    wait_for(lambda: memory_mb(process) > 1)


@pytest.mark.parametrize("content", ["", "{", "7", "{}", '{"pid": "x", "created": 1}'])
def test_a_damaged_pid_file_names_no_process_and_is_not_taken_for_a_stop(
    tmp_path: Path, content: str
) -> None:
    file = PidFile(tmp_path / "p.pid")
    (tmp_path / "p.pid").write_text(content)
    assert file.running() is None
    assert file.read() is NOBODY
    file.forget()
    assert file.read() is None
