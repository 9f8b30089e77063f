"""`up` is one start of infrastructure and bus: whatever fails, what it started is stopped again."""

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.bench.own_stack import free_ports
from services.stack.api import Stack, State
from services.stack.component import Component, Context
from services.stack.errors import ChooseAnotherPort, PolicyUnread, ReadComponentLog
from services.stack.process import Command
from services.stack.progress import Reporter
from services.stack.python_process import PythonComponent
from services.stack.settings import StackSettings


class Part(Component):
    """Stands for Kafka and the others: a process that only lives."""

    name = "part"

    def prepare(self) -> None:
        """Nothing to prepare."""

    def command(self) -> Command:
        return Command([sys.executable, "-c", "import time; time.sleep(600)"], {}, self.context.layout.run)

    def ready(self) -> bool:
        return True


class SmallStack(Stack):
    """A stack whose infrastructure is one small process, and which needs no archives."""

    part: Part

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        return (self.part,)

    def prepare(self, progress: Reporter | None = None) -> None:
        """No secrets, no archives."""

    def runs(self) -> dict[str, State]:
        return {part.name: part.state for part in self.status()}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[SmallStack]:
    watch, first = free_ports([1, 1])
    settings = StackSettings(
        home=tmp_path, cache=tmp_path / "cache", watch_port=watch, processes_port=first, stop_timeout_s=5
    )
    made = SmallStack(settings)
    made.part = Part(Context(settings, made.context.layout, made.context.secrets, made.context.jars))
    yield made
    made.down()
    made.part.stop()


LIVES = PythonComponent("gate.0", ("-c", "import time; time.sleep(600)"))
ENDS = PythonComponent("fanout.default.0", ("-c", "raise SystemExit(1)"), ready_check=lambda: False)


def answers(port: int) -> PythonComponent:
    program = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    return PythonComponent("watch", ("-c", program), ready_url=f"http://127.0.0.1:{port}/")


def interrupt() -> list[PythonComponent]:
    raise KeyboardInterrupt


def unread() -> list[PythonComponent]:
    raise PolicyUnread("it is broken")


@pytest.mark.parametrize(
    ("bus", "error"),
    [
        (lambda: [LIVES, ENDS], ReadComponentLog),
        (interrupt, KeyboardInterrupt),
        (unread, PolicyUnread),
    ],
)
def test_a_start_that_fails_at_the_bus_leaves_neither_bus_nor_infrastructure(
    stack: SmallStack, bus: Callable[[], list[PythonComponent]], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        stack.up(bus=bus)
    assert stack.runs() == {"part": State.STOPPED}
    assert not stack.has_processes()


def test_what_ran_before_a_failed_start_goes_on(stack: SmallStack) -> None:
    stack.up(bus=lambda: [LIVES])
    gate = next(part.pid for part in stack.status() if part.name == "gate.0")
    with pytest.raises(ReadComponentLog):
        stack.up(bus=lambda: [LIVES, ENDS])
    assert stack.runs() == {"part": State.RUNNING, "gate.0": State.RUNNING}
    assert gate is not None
    assert psutil.pid_exists(gate)


def test_several_processes_are_started_as_one(stack: SmallStack) -> None:
    stack.up()
    with pytest.raises(ReadComponentLog):
        stack.run_processes([LIVES, ENDS])
    assert stack.runs() == {"part": State.RUNNING}


def test_a_taken_port_of_the_bus_is_told_before_anything_starts_once_there_was_a_bus(
    stack: SmallStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = stack.settings.watch_port
    stack.up(bus=lambda: [answers(port)])
    assert stack.runs() == {"part": State.RUNNING, "watch": State.RUNNING}
    stack.down()
    stack.part.stop()
    monkeypatch.setattr(Part, "start", lambda _part: pytest.fail("something was started"))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ChooseAnotherPort, match="GOVBUS_WATCH_PORT"):
            stack.up(bus=lambda: [answers(port)])
        monkeypatch.undo()
        (free,) = free_ports([1])
        moved = SmallStack(stack.settings.model_copy(update={"watch_port": free}))
        moved.part = stack.part
        moved.up(bus=lambda: [answers(free)])
        assert moved.runs() == {"part": State.RUNNING, "watch": State.RUNNING}


def test_damaged_files_of_processes_are_shown_as_crashed_and_cleaned_up(stack: SmallStack) -> None:
    stack.up(bus=lambda: [LIVES])
    run = stack.context.layout.run
    for name in ("part", "gate.0"):
        process = next(part.pid for part in stack.status() if part.name == name)
        assert process is not None
        psutil.Process(process).kill()
        psutil.Process(process).wait(10)
        (run / f"{name}.pid").write_text("")
    (run / "gate.0.process.json").write_text("")
    assert stack.runs() == {"part": State.CRASHED, "gate.0": State.CRASHED}
    stack.up()
    assert stack.runs()["part"] is State.RUNNING
    stack.down()
    assert stack.runs() == {"part": State.RUNNING}
