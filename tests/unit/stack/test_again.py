"""What crashed is started again as it was started before, and belongs to nobody; what was stopped is not."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.processor import last_word
from services.processor.errors import ExitCode, StopInstance
from services.processor.last_word import NEED_A_PERSON
from services.processor.wiring import data_directory
from services.stack import again
from services.stack.again import Ended
from services.stack.api import Stack, State
from services.stack.python_process import PythonComponent, PythonProcess, descriptor, waits_file
from services.stack.settings import PREFIX, StackSettings
from services.stack.supervisor import exclusive
from services.watch.own_processes import OwnProcesses
from tests.support.waiting import eventually

SETTING = f"{PREFIX}ENGINE"
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
    eventually(lambda: lying(made) == ["gate.0"], 10)
    yield made
    made.stop_process("gate.0")


def lying(stack: Stack) -> list[str]:
    return [each.name for each in stack.own_processes() if not each.lives]


def process_of(stack: Stack) -> int:
    [found] = [each for each in stack.status() if each.name == "gate.0"]
    assert found.pid is not None, found
    return found.pid


def test_what_crashed_is_started_again_and_is_no_child_of_who_saw_it(stack: Stack) -> None:
    assert OwnProcesses(stack).start_again("gate.0") is Ended.STARTED
    assert lying(stack) == []
    assert process_of(stack) not in {child.pid for child in psutil.Process().children(recursive=True)}


def test_what_lives_was_stopped_or_is_unknown_is_not_started(stack: Stack) -> None:
    assert again.main(["fanout.default.0"]) is Ended.NOT_NEEDED
    assert again.main(["gate.0"]) is Ended.STARTED
    lives = process_of(stack)
    assert again.main(["gate.0"]) is Ended.NOT_NEEDED
    assert process_of(stack) == lives
    stack.stop_process("gate.0")
    assert again.main(["gate.0"]) is Ended.NOT_NEEDED
    assert lying(stack) == []
    assert "gate.0" not in {each.name for each in stack.status() if each.state is State.RUNNING}


def test_while_a_command_starts_or_stops_the_stack_nothing_is_started(stack: Stack) -> None:
    with exclusive(stack.context.layout.run / "lock"):
        assert again.main(["gate.0"]) is Ended.BUSY
    assert lying(stack) == ["gate.0"]


def test_the_start_is_a_program_of_its_own(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert OwnProcesses(stack).start_again("gate.0") is Ended.FAILED


def test_a_process_comes_back_with_what_was_set_when_it_was_started(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.stop_process("gate.0")
    monkeypatch.setenv(SETTING, "reference")
    stack.run_process(LIVES)
    os.kill(process_of(stack), signal.SIGKILL)
    eventually(lambda: lying(stack) == ["gate.0"], 10)
    monkeypatch.setenv(SETTING, "native")
    assert again.main(["gate.0"]) is Ended.STARTED
    assert psutil.Process(process_of(stack)).environ()[SETTING] == "reference"
    os.kill(process_of(stack), signal.SIGKILL)
    eventually(lambda: lying(stack) == ["gate.0"], 10)
    stack.run_process(LIVES)
    assert psutil.Process(process_of(stack)).environ()[SETTING] == "native"


def test_what_only_a_person_may_start_waits_for_a_command(stack: Stack) -> None:
    waits = waits_file(stack.context, "gate.0")
    lost = StopInstance(ExitCode.POSITION_LOST, "the log ends before the committed offset")
    last_word.leave(data_directory(), "gate.0", lost)
    assert waits.exists()
    assert again.main(["gate.0"]) is Ended.NOT_NEEDED
    [found] = OwnProcesses(stack).standing()
    assert (found.lives, found.waits) == (False, "the log ends before the committed offset")
    stack.run_process(LIVES)
    assert not waits.exists()


@pytest.mark.parametrize("code", sorted(set(ExitCode) - NEED_A_PERSON))
def test_after_other_ends_it_may_start_by_itself(stack: Stack, code: ExitCode) -> None:
    last_word.leave(data_directory(), "gate.0", StopInstance(code, "why"))
    assert not waits_file(stack.context, "gate.0").exists()


def test_a_damaged_file_starts_nothing_and_says_so(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    descriptor(stack.context, "gate.0").write_text("{", encoding="utf-8")
    assert again.main(["gate.0"]) is Ended.FAILED
    assert "is damaged" in capsys.readouterr().err


def test_the_watch_knows_which_of_its_children_are_components_of_their_own(stack: Stack) -> None:
    assert again.main(["gate.0"]) is Ended.STARTED
    watch = PythonProcess(stack.context, replace(LIVES, name="watch"))
    assert process_of(stack) in watch.others()
    assert process_of(stack) not in PythonProcess(stack.context, LIVES).others()
