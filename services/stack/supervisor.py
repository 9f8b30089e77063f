"""Starts components by their needs, in parallel where possible, and never leaves half a start."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from services.stack.component import Component
from services.stack.errors import ChooseAnotherPort, ReadComponentLog, WaitForOther
from services.stack.probes import port_free, port_holder
from services.stack.progress import Reporter

_POLL_S = 0.15
_LOCK_PATIENCE_S = 2.0
_HUNG_AFTER_S = 45.0
_PORT_PATIENCE_S = 5.0


class Cancelled(Exception):  # noqa: N818 - not an error: another thread's failure or Ctrl-C ends this one
    """The start is being given up."""


@contextmanager
def exclusive(path: Path, patience_s: float = _LOCK_PATIENCE_S) -> Iterator[None]:
    """Let one command at a time start or stop the stack.

    Raises:
        WaitForOther: another one is at it, for longer than the watch needs to start a process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, time.monotonic() + patience_s)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                what = "another command is starting or stopping this stack; try again when it is done"
                raise WaitForOther(what) from error
            time.sleep(_POLL_S)
        else:
            return


@contextmanager
def interruptible() -> Iterator[None]:
    """Make a request to end this command (SIGTERM, SIGHUP) clean up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return "(the log is empty)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _pause() -> None:
    time.sleep(_POLL_S)


def answers_within(component: Component, patience_s: float, pause: Callable[[], None] = _pause) -> bool:
    """Say whether a living component answers now or soon.

    One question alone misjudges: a registry whose pooled connection died with PostgreSQL, or a worker
    that just joins its group, refuses once and answers the next.
    """
    deadline = time.monotonic() + patience_s
    while not component.ready():
        if component.pid_file.running() is None or time.monotonic() > deadline:
            return False
        pause()
    return True


class Supervisor:
    """Brings components up and down; all state is in their pid files."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._cancelled, self._begun = threading.Event(), threading.Event()
        self._started: list[Component] = []
        self._within = False

    @contextmanager
    def one_start(self, reporter: Reporter) -> Iterator[None]:
        """Make one start of everything that is brought up within: it goes on whole or not at all.

        On failure or Ctrl-C anywhere within, all that was started is stopped again, the newest first; what
        ran before goes on.
        """
        if self._within:
            yield
            return
        self._within, self._started = True, []
        try:
            with interruptible():
                try:
                    yield
                except BaseException:
                    with _uninterrupted():
                        self._take_back(reporter)
                    raise
        finally:
            self._within = False

    def up(self, components: Sequence[Component], reporter: Reporter) -> None:
        """Start what is not running and wait until all are ready; a start of its own unless within one.

        Raises:
            ChooseAnotherPort: a port is taken; nothing was started.
            ReadComponentLog: a component ended or was not ready in time.
        """
        self._cancelled.clear()
        self._begun.clear()
        done = {component.name: threading.Event() for component in components}
        with self.one_start(reporter), ThreadPoolExecutor(max(1, len(components))) as pool:
            self.check_ports(components)
            try:
                jobs = [pool.submit(self._bring_up, component, done, reporter) for component in components]
                self._begun.set()
                self._await(jobs)
            except BaseException:
                with _uninterrupted():
                    self._cancelled.set()
                    self._begun.set()
                    pool.shutdown()
                raise

    def check_ports(self, components: Sequence[Component]) -> None:
        """See that the ports of all components that do not run are free, before any of them is started.

        Raises:
            ChooseAnotherPort: one is taken; the message names the setting.
        """
        for component in components:
            if component.pid_file.running() is None:
                self._check_ports(component)

    def _take_back(self, reporter: Reporter) -> None:
        started = list(reversed(self._started))
        self.down(started, reporter)
        for component in started:
            component.take_back()

    def down(self, components: Sequence[Component], reporter: Reporter) -> None:
        """Stop the components one after the other, in the order given."""
        for component in components:
            running = component.pid_file.running() is not None
            if running:
                reporter.begin(f"stop-{component.name}", f"stopping {component.name}")
            clean = component.stop()
            if running:
                reporter.done(
                    f"stop-{component.name}", f"{component.name} {'stopped' if clean else 'was killed'}"
                )

    def _await(self, jobs: Sequence[Future[None]]) -> None:
        """Wait for all jobs, or for the first that failed; in slices, so that Ctrl-C is heard."""
        pending = set(jobs)
        while pending:
            finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for job in finished:
                job.result()

    def _bring_up(self, component: Component, done: dict[str, threading.Event], reporter: Reporter) -> None:
        # A Ctrl-C while starts are still handed out must not miss one that has begun already.
        self._begun.wait()
        self._check_cancelled()
        for need in component.needs:
            if need in done:
                self._until(done[need].is_set, component, None)
        begin = time.monotonic()
        reporter.begin(component.name, f"starting {component.name}")
        repaired = self._ensure_running(component)
        component.settle()
        done[component.name].set()
        took = time.monotonic() - begin
        what = f"ready after {took:.1f} s" if repaired else "was running"
        where = f" on port {component.port}" if component.port else ""
        reporter.done(component.name, f"{component.name} {what}{where}")

    def _ensure_running(self, component: Component) -> bool:
        """Start the component unless it runs and answers; return whether it was started."""
        if component.pid_file.running() is not None:
            if self._answers_in_time(component):
                return False
            component.stop()
        self._check_ports(component)
        component.prepare()
        self._check_cancelled()
        self._started.append(component)
        component.start()
        self._until(component.ready, component, time.monotonic() + self._timeout_s)
        return True

    def _answers_in_time(self, component: Component) -> bool:
        """Say whether a running component becomes ready; it may still be starting."""
        return answers_within(component, _HUNG_AFTER_S, self._pause)

    def _pause(self) -> None:
        self._check_cancelled()
        _pause()

    def _until(self, condition: Callable[[], bool], component: Component, deadline: float | None) -> None:
        log = component.context.layout.log(component.name)
        while not condition():
            self._check_cancelled()
            if deadline is not None and component.pid_file.running() is None:
                raise ReadComponentLog(component.name, log, "ended while starting", tail(log))
            if deadline is not None and time.monotonic() > deadline:
                raise ReadComponentLog(
                    component.name, log, f"was not ready after {self._timeout_s:.0f} s", tail(log)
                )
            time.sleep(_POLL_S)

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    @staticmethod
    def _check_ports(component: Component) -> None:
        # One that was killed a moment ago may hold its ports a little longer.
        patience = _PORT_PATIENCE_S if component.pid_file.read() is not None else 0.0
        deadline = time.monotonic() + patience
        for field, port in component.ports.items():
            while not port_free(port) and time.monotonic() < deadline:
                time.sleep(0.1)
            if not port_free(port):
                setting = component.context.settings.variable(field)
                raise ChooseAnotherPort(component.name, port, setting, port_holder(port))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore a second Ctrl-C or request to end while what was started is being stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
