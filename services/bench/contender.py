"""Who takes part in a race: the bus itself, and the comparators as programs started for one run each."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from services.bench.build import Built
from services.bench.probe import ProcessEnded, cpu_seconds
from services.stack.secret_files import write_private

_STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A contender at work: its processes and the group whose offsets say how far it is."""

    pids: tuple[int, ...]
    group: str


class Contender(Protocol):
    """One engine that does the work or copies as much."""

    name: str

    def start(self, number: int, compression: str) -> Running:
        """Begin from the first record; ``number`` is different for every start."""
        ...

    def stop(self) -> None:
        """End it; nothing of it may be alive afterwards."""
        ...

    def why(self) -> str:
        """The last lines that it wrote, for a run that failed."""
        ...


class Program:
    """A comparator: a program that reads the work description and runs until SIGTERM."""

    def __init__(self, name: str, built: Built, description: Mapping[str, Any], folder: Path) -> None:
        self.name = name
        self._built = built
        self._description = description
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, number: int, compression: str) -> Running:
        """Start the program in a group of its own, which has no offsets yet."""
        group = f"bench.{self.name}.{number}"
        path = self._folder / f"{group}.json"
        description = {**self._description, "group": group, "compression": compression}
        write_private(path, self._built.text_of(description))
        # Whatever it leaves behind goes with the stack's folder.
        scratch = {"TMPDIR": str(self._folder), "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={self._folder}"}
        environment = {**os.environ, **scratch, **self._built.environment}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._built.argv, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._folder,
            )
        return Running((self._process.pid,), group)

    def stop(self) -> None:
        """Ask it to end, then kill it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_S)

    def why(self) -> str:
        """The end of its log."""
        return end_of(self._log)

    @property
    def _log(self) -> Path:
        return self._folder / f"{self.name}.log"


class Bus:
    """The processor of the bus, as `govbus run` starts it; put back to the beginning before each run."""

    def __init__(
        self,
        name: str,
        group: str,
        start: Callable[[Mapping[str, str]], tuple[int, ...]],
        stop: Callable[[], None],
        rewind: Callable[[], None],
        log: Path,
    ) -> None:
        self.name = name
        self._group, self._start, self._stop, self._rewind, self._log = group, start, stop, rewind, log

    def start(self, number: int, compression: str) -> Running:  # noqa: ARG002
        """Rewind the group and start the processor."""
        self._rewind()
        return Running(self._start({"GOVBUS_PROCESSOR_COMPRESSION": compression}), self._group)

    def stop(self) -> None:
        """Stop it as `govbus down` does."""
        self._stop()

    def why(self) -> str:
        """The end of its log."""
        return end_of(self._log)


def end_of(log: Path) -> str:
    """What a log says of its end: its last errors, or its last lines where it names none."""
    if not log.exists():
        return "it wrote nothing"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    return "; ".join((errors or lines)[-4:])[-600:]


def wait_until_gone(pid: int, patience_s: float = 15.0) -> None:
    """Wait until a process has ended, so that it takes nothing from the next one."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            cpu_seconds(pid)
        except ProcessEnded:
            return
        time.sleep(0.05)
