"""The supervisor: order, idempotence, repair, clear errors, and no process left after a failed start."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.stack.component import Component, Context
from services.stack.errors import ChooseAnotherPort, ReadComponentLog, WaitForOther
from services.stack.jars import JarCache
from services.stack.layout import Layout
from services.stack.process import Command
from services.stack.progress import Silent
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings
from services.stack.supervisor import Supervisor, answers_within, exclusive

LIVES = "import time; time.sleep(600)"


class Fake(Component):
    """A Python process that counts as ready once ``is_ready`` says so."""

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        program: str = LIVES,
        is_ready: Callable[[], bool] = lambda: True,
        needs: tuple[str, ...] = (),
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.name, self.needs = name, needs
        super().__init__(context)
        self.program, self.is_ready, self._ports = program, is_ready, ports or {}
        self.starts = 0
        self.settled = threading.Event()

    @property
    def ports(self) -> Mapping[str, int]:
        return self._ports

    def prepare(self) -> None:
        self.starts += 1

    def command(self) -> Command:
        return Command([sys.executable, "-c", self.program], {}, self.context.layout.run)

    def ready(self) -> bool:
        return self.is_ready()

    def settle(self) -> None:
        self.settled.set()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    settings = StackSettings(home=tmp_path, cache=tmp_path / "cache", stop_timeout_s=5)
    layout = Layout(tmp_path)
    layout.create()
    return Context(settings, layout, SecretFiles(layout.secrets), JarCache(settings.cache, ()))


@pytest.fixture
def leftover() -> Iterator[None]:
    """Fail the test if it leaves a child process."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    after = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    alive = [child for child in after if child.status() != psutil.STATUS_ZOMBIE]
    for child in alive:
        child.kill()
    assert alive == []


pytestmark = pytest.mark.usefixtures("leftover")


def test_a_component_starts_after_what_it_needs_is_ready_and_settled(context: Context) -> None:
    first = Fake(context, "first")
    second = Fake(context, "second", needs=("first",))
    second.prepare = lambda: order.append(first.settled.is_set())  # type: ignore[method-assign]
    order: list[bool] = []
    supervisor = Supervisor(20)
    supervisor.up([second, first], Silent())
    assert order == [True]
    supervisor.down([second, first], Silent())


def test_up_again_starts_nothing_that_runs_and_only_what_was_killed(context: Context) -> None:
    components = [Fake(context, "a"), Fake(context, "b")]
    supervisor = Supervisor(20)
    supervisor.up(components, Silent())
    supervisor.up(components, Silent())
    assert [component.starts for component in components] == [1, 1]
    process = components[1].pid_file.running()
    assert process is not None
    process.kill()
    process.wait(10)
    supervisor.up(components, Silent())
    assert [component.starts for component in components] == [1, 2]
    supervisor.down(components, Silent())
    assert [component.pid_file.read() for component in components] == [None, None]


def test_a_living_component_is_asked_again_before_it_counts_as_unhealthy(context: Context) -> None:
    answers = iter([False, True])
    busy = Fake(context, "busy", is_ready=lambda: next(answers))
    hung = Fake(context, "hung", is_ready=lambda: False)
    dead = Fake(context, "dead", program="pass", is_ready=lambda: False)
    for component in (busy, hung, dead):
        component.start()
    assert answers_within(busy, 60)
    assert not answers_within(hung, 0.5)
    assert not answers_within(dead, 60), "who ended is not waited for"
    for component in (busy, hung):
        component.stop()


def test_a_port_in_use_is_named_with_its_setting_and_nothing_is_left_running(context: Context) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = Fake(context, "other")
        blocked = Fake(context, "kafka", ports={"kafka_port": port}, needs=("other",))
        with pytest.raises(ChooseAnotherPort, match=f"port {port} .*GOVBUS_KAFKA_PORT"):
            Supervisor(20).up([other, blocked], Silent())
    assert (other.starts, blocked.starts) == (0, 0), "it is seen before anything starts"


def test_a_component_that_ends_while_starting_shows_its_last_words(context: Context) -> None:
    broken = Fake(
        context, "broken", program="print('no licence'); raise SystemExit(3)", is_ready=lambda: False
    )
    with pytest.raises(ReadComponentLog, match=r"(?s)ended while starting.*no licence"):
        Supervisor(20).up([broken, Fake(context, "fine")], Silent())


def test_a_component_that_never_gets_ready_is_given_up_and_stopped(context: Context) -> None:
    with pytest.raises(ReadComponentLog, match="not ready after"):
        Supervisor(0.5).up([Fake(context, "slow", is_ready=lambda: False)], Silent())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_or_a_request_to_end_in_the_middle_of_a_start_leaves_no_process(
    context: Context, number: signal.Signals
) -> None:
    # As in a person's terminal: a run in the background starts with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = Fake(context, "done")
    never = Fake(context, "never", is_ready=lambda: False, needs=("done",))

    def interrupt() -> None:
        while never.pid_file.running() is None:
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        Supervisor(60).up([done, never], Silent())
    thread.join()
    assert done.pid_file.running() is None
    assert never.pid_file.running() is None


def test_ctrl_c_before_all_starts_are_handed_out_starts_nothing(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, first, second = ThreadPoolExecutor.submit, Fake(context, "first"), Fake(context, "second")

    def interrupted(pool: ThreadPoolExecutor, call: Callable[..., None], *given: Any) -> Any:
        if second in given:
            raise KeyboardInterrupt
        return submit(pool, call, *given)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Supervisor(20).up([first, second], Silent())
    assert first.pid_file.running() is None


def test_a_failed_start_does_not_stop_what_ran_before(context: Context) -> None:
    old = Fake(context, "old")
    supervisor = Supervisor(20)
    supervisor.up([old], Silent())
    broken = Fake(context, "broken", program="raise SystemExit(1)", is_ready=lambda: False)
    with pytest.raises(ReadComponentLog):
        supervisor.up([old, broken], Silent())
    assert old.pid_file.running() is not None
    supervisor.down([old], Silent())


def test_what_one_start_brought_up_in_several_steps_is_stopped_when_a_later_step_fails(
    context: Context,
) -> None:
    old, first, second = (Fake(context, name) for name in ("old", "first", "second"))
    supervisor = Supervisor(20)
    supervisor.up([old], Silent())

    def start() -> None:
        with supervisor.one_start(Silent()):
            supervisor.up([old, first], Silent())
            supervisor.up([second], Silent())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()
    assert [part.pid_file.running() is not None for part in (old, first, second)] == [True, False, False]
    supervisor.down([old], Silent())


def test_two_commands_do_not_start_the_same_stack_at_once(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"), pytest.raises(WaitForOther), exclusive(tmp_path / "lock"):
        pass
    with exclusive(tmp_path / "lock"):
        pass
