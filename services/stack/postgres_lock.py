"""PostgreSQL's lock on its data folder after a kill: when a new server may start, and whether it was let in.

A killed server leaves ``postmaster.pid``. A new one takes it over if no process has that number any more and
nobody is attached to the old one's shared memory. Two things keep it from that which are no server: a zombie
that nobody has collected, and a program that was given the number since. Then the file is removed, but only
when no process works in the data folder any more: the file is what protects the data from a second server
while processes of the first one are left.
"""

import contextlib
import time
from pathlib import Path
from typing import Final

import psutil

LOCK: Final = "postmaster.pid"
_STATUS_LINE: Final = 7
"""From 0; it is written once the server has the folder and its shared memory to itself."""
_LONGEST_START_S: Final = 15.0
_LOOK_S: Final = 0.05
_REFUSALS: Final = (b"is still in use", b'"postmaster.pid" already exists')


def remove_stale_lock(data: Path) -> bool:
    """Remove the lock of a server of which nothing is left; whether that was done.

    It is left alone while any process works in the folder, and where the number is nobody's: then the server
    takes it over by itself, after a look at its shared memory.
    """
    holder = _holder(data)
    if holder is None or not psutil.pid_exists(holder) or _works_in(data):
        return False
    (data / LOCK).unlink(missing_ok=True)
    return True


def refused_by_leftovers(process: psutil.Process, data: Path, log: Path, begin: int) -> bool:
    """Wait until the server has the folder or ended; whether it ended because of what a killed one left.

    Args:
        process: that was started.
        data: its folder.
        log: that it writes.
        begin: how long the log was before.
    """
    deadline = time.monotonic() + _LONGEST_START_S
    while time.monotonic() < deadline:
        try:
            process.wait(timeout=_LOOK_S)
            break
        except psutil.TimeoutExpired:
            if _has_folder(process.pid, data):
                return False
    else:
        return False
    with log.open("rb") as content:
        content.seek(begin)
        told = content.read()
    return any(refusal in told for refusal in _REFUSALS)


def _holder(data: Path) -> int | None:
    """The number in the lock; None where there is none that can be read."""
    lines = _lines(data)
    # A single-user server writes its number with a minus.
    return abs(int(lines[0])) if lines and lines[0].strip("- ").isdigit() else None


def _has_folder(pid: int, data: Path) -> bool:
    lines = _lines(data)
    return len(lines) > _STATUS_LINE and lines[0].strip() == str(pid)


def _lines(data: Path) -> list[str]:
    try:
        return (data / LOCK).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _works_in(data: Path) -> bool:
    """Whether a process lives whose folder is the data's: every process of a PostgreSQL server is one.

    One whose folder may not be seen counts as one: whoever starts the server can see his own.
    """
    folder = str(data.resolve())
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            try:
                if process.cwd() == folder:
                    return True
            except psutil.AccessDenied:
                if process.name().startswith("postgres"):
                    return True
    return False
