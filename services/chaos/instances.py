"""The gate and fan-out instances of a run: real processes, to be killed, frozen, added and started again."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psutil

from services.chaos.own_stack import ChaosStack
from services.stack.probes import http_ok
from services.stack.python_process import PythonComponent, PythonProcess, descriptor

Say = Callable[[str], None]
_POLL_SECONDS = 0.1


class InstanceStuck(Exception):  # noqa: N818 - named after what happened
    """An instance did not become ready in time; the message names it and its log."""


@dataclass(slots=True)
class Instances:
    """What should run, and what does; every process is known to the stack, which stops it at the end."""

    stack: ChaosStack
    say: Say
    _wanted: dict[str, PythonProcess] = field(default_factory=dict)
    _left_alone: set[str] = field(default_factory=set)
    ended_by_themselves: int = 0
    """How often an instance ended without being told to, and was started again."""

    def add(self, component: PythonComponent) -> str:
        """Start one more and return its name; it is from now on started again whenever it ends."""
        user = component.name.partition(".")[0]
        settings = {**(component.settings or {}), **self.stack.processor_environment(user)}
        process = PythonProcess(self.stack.context, replace(component, settings=settings))
        self._wanted[process.name] = process
        process.prepare()
        process.start()
        return process.name

    def remove(self, name: str) -> None:
        """Stop one in the orderly way, and forget it."""
        process = self._wanted.pop(name)
        process.stop()
        descriptor(self.stack.context, name).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """kill -9; it stays down until ``revive``."""
        self._left_alone.add(name)
        self._send(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop its clock."""
        self._left_alone.add(name)
        self._send(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on from where it was; if it then finds out that it was replaced, it ends."""
        self._send(name, signal.SIGCONT)
        self._left_alone.discard(name)

    def revive(self, name: str) -> None:
        """Start one that was killed."""
        self._left_alone.discard(name)
        if self._wanted[name].pid_file.running() is None:
            self._wanted[name].start()

    def supervise(self) -> None:
        """Start again whatever ended by itself, as any operator's supervisor does."""
        for name, process in self._wanted.items():
            if name not in self._left_alone and process.pid_file.running() is None:
                self.say(f"{name} had ended; started again")
                self.ended_by_themselves += 1
                process.start()

    def wait_until_ready(self, seconds: float) -> None:
        """Until every instance says that it decides events.

        Raises:
            InstanceStuck: one does not, within the time.
        """
        deadline = time.monotonic() + seconds
        while late := [name for name, process in self._wanted.items() if not self._ready(process)]:
            self.supervise()
            if time.monotonic() > deadline:
                log = self.stack.context.layout.log(late[0])
                raise InstanceStuck(f"{late[0]} is not ready after {seconds:.0f} s; its log is {log}")
            time.sleep(_POLL_SECONDS)

    def names(self, prefix: str = "") -> list[str]:
        """Those that should run, sorted."""
        return sorted(name for name in self._wanted if name.startswith(prefix))

    def stop(self) -> None:
        """Stop all in the orderly way; frozen ones are thawed first, or they could not even be asked."""
        for name in self._left_alone:
            self._send(name, signal.SIGCONT)
        self._left_alone.clear()
        for name in list(self._wanted):
            self.remove(name)

    def _ready(self, process: PythonProcess) -> bool:
        url = process.component.ready_url
        return process.pid_file.running() is not None and url is not None and http_ok(url)

    def _send(self, name: str, what: signal.Signals) -> None:
        running = self._wanted[name].pid_file.running() if name in self._wanted else None
        if running is not None:
            os.kill(running.pid, what)
            if what is signal.SIGKILL:
                _until_gone(running)


def _until_gone(process: psutil.Process, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
