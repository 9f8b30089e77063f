"""What crashed is started again as it was started before, and belongs to nobody; what was stopped is not."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.stack import again
from services.stack.api import Stack, State
from services.stack.python_process import PythonComponent
from services.stack.settings import PREFIX, StackSettings
from services.stack.supervisor import exclusive
from services.watch.own_processes import OwnProcesses
from tests.support.waiting import eventually

LIVES = PythonComponent("gate.0", ("-c", "import time; time.sleep(600)"))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose one process has been killed."""
    monkeypatch.setenv(f"{PREFIX}HOME", str(tmp_path))
    monkeypatch.setenv(f"{PREFIX}CACHE", str(tmp_path / "cache"))
    made = Stack(StackSettings.from_environment(os.environ))
    made.context.layout.create()
    made.run_process(LIVES)
    os.kill(process_of(made), signal.SIGKILL)
    eventually(lambda: made.crashed() == ["gate.0"], 10)
    yield made
    made.stop_process("gate.0")


def process_of(stack: Stack) -> int:
    [found] = [each for each in stack.status() if each.name == "gate.0"]
    assert found.pid is not None, found
    return found.pid


def test_what_crashed_is_started_again_and_is_no_child_of_who_saw_it(stack: Stack) -> None:
    assert OwnProcesses(stack).start_again("gate.0")
    assert stack.crashed() == []
    assert process_of(stack) not in {child.pid for child in psutil.Process().children(recursive=True)}


def test_what_lives_was_stopped_or_is_unknown_is_not_started(stack: Stack) -> None:
    assert again.main(["fanout.default.0"]) == 1
    assert again.main(["gate.0"]) == 0
    lives = process_of(stack)
    assert again.main(["gate.0"]) == 1
    assert process_of(stack) == lives
    stack.stop_process("gate.0")
    assert again.main(["gate.0"]) == 1
    assert stack.crashed() == []
    assert "gate.0" not in {each.name for each in stack.status() if each.state is State.RUNNING}


def test_while_a_command_starts_or_stops_the_stack_nothing_is_started(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    with exclusive(stack.context.layout.run / "lock"):
        assert again.main(["gate.0"]) == 2
    assert "another command is starting or stopping this stack" in capsys.readouterr().err
    assert stack.crashed() == ["gate.0"]


def test_the_start_is_a_program_of_its_own(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        OwnProcesses(stack).start_again("gate.0")
