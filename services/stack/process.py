"""Detached processes: they outlive the command that starts them and are known by pid file and start time."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.stack.secret_files import write_private


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process is meant: a pid alone may have been given to another program since."""

    pid: int
    created: float


#: Stands for a process that a damaged pid file does not name.
NOBODY = Identity(0, 0.0)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start: its arguments, environment (whole, nothing inherited), folder and user."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    user: int | None = None
    group: int | None = None


class PidFile:
    """Remembers which process runs a component."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, identity: Identity) -> None:
        """Remember the process."""
        write_private(self._path, json.dumps({"pid": identity.pid, "created": identity.created}))

    def read(self) -> Identity | None:
        """Return the process last remembered, running or not; `NOBODY` if the file does not say which."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return Identity(int(content["pid"]), float(content["created"]))
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError):
            # As after a power cut: something was started, and it is not known to live.
            return NOBODY

    def forget(self) -> None:
        """Remove the file: the component was stopped on purpose."""
        self._path.unlink(missing_ok=True)

    def running(self) -> psutil.Process | None:
        """Return the remembered process if it is alive and still the same one."""
        identity = self.read()
        return None if identity in (None, NOBODY) else find(identity)


def find(identity: Identity) -> psutil.Process | None:
    """Return the process with this identity if it is alive; a finished child is collected on the way."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(identity.pid, os.WNOHANG)
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.created) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def start_detached(command: Command, log: Path, pid_file: PidFile) -> psutil.Process:
    """Start a program in a session of its own, with its output appended to the log.

    Signals from the terminal (Ctrl-C) do not reach it; whoever starts it must stop it by the pid file.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            list(command.argv),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=dict(command.environment),
            cwd=command.folder,
            start_new_session=True,
            user=command.user,
            group=command.group,
            extra_groups=[] if command.user is not None else None,
        )
    finally:
        os.close(descriptor)
    try:
        process = psutil.Process(child.pid)
        pid_file.write(Identity(child.pid, process.create_time()))
    except BaseException:
        # What nobody remembers nobody stops, and the next start would run beside it.
        child.kill()
        child.wait()
        raise
    # The process is meant to outlive this object, which would warn about it when collected.
    child.returncode = 0
    return process


def stop(
    process: psutil.Process, request: signal.Signals, timeout_s: float, spared: Collection[int] = ()
) -> bool:
    """Ask the process and its children to end, wait, and kill what remains, but for those that are spared.

    Returns:
        True if it ended by itself within the time, False if it had to be killed.
    """
    family = [process, *(child for child in _children(process) if child.pid not in spared)]
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(request)
    if _wait_gone(family, timeout_s):
        return True
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    _wait_gone(family, 10.0)
    return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _wait_gone(family: list[psutil.Process], timeout_s: float) -> bool:
    """Wait until all processes have ended; children of this process are collected."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not any(find(Identity(member.pid, member.create_time())) for member in _alive(family)):
            return True
        time.sleep(0.05)
    return False


def _alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [member for member in family if member.is_running()]


def memory_mb(process: psutil.Process) -> float:
    """Return the memory of a process and its children in MB.

    Shared pages count once where the system tells (proportional set size); else resident memory.
    """
    total = 0
    for member in [process, *_children(process)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                info = member.memory_full_info()
                total += getattr(info, "pss", info.rss)
            except psutil.AccessDenied:
                total += member.memory_info().rss
    return total / 1e6
