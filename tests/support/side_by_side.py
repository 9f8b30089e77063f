"""Tests on the real stack run in two processes: which want to be alone, and what one may leave behind."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from services.stack.api import Stack
from services.stack.settings import StackSettings

#: Names one run of tests to all of its processes.
_RUN: Final = "GOVBUS_TEST_RUN"


def is_beside() -> bool:
    """Whether this process is one of several that run tests."""
    return "PYTEST_XDIST_WORKER" in os.environ


def begin_run() -> None:
    """Give the run its name, which processes that are started from here on inherit."""
    if not is_beside():
        os.environ[_RUN] = secrets.token_hex(4)


def home_prefix() -> str:
    """How the folders of this run's stacks begin, below the system's temporary folder."""
    return f"govbus-test-{os.environ.get(_RUN, 'loose')}-"


def end_run() -> None:
    """Remove what a process that was ended in the middle left of its stacks, and what the run waited with."""
    if is_beside():
        return
    folder = Path(tempfile.gettempdir())
    for home in folder.glob(f"{home_prefix()}*"):
        for stack in (home, home / "stack"):
            Stack(StackSettings(home=stack, cache=home)).reset()
        shutil.rmtree(home, ignore_errors=True)
    for door in _doors():
        door.unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around each test, outside of its time-out: it begins when those beside it let it."""
    if not is_beside() or item.get_closest_marker("stack") is None:
        return (yield)
    with its_turn(*_opened(), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def its_turn(door: int, room: int, *, alone: bool) -> Iterator[None]:
    """Take part, or be alone: who wants that waits at the door, and whoever comes later waits behind.

    Args:
        door: an open file, the same for all.
        room: another one.
        alone: nobody else is in the room meanwhile.
    """
    fcntl.flock(door, fcntl.LOCK_EX)
    try:
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    finally:
        fcntl.flock(door, fcntl.LOCK_UN)
    try:
        yield
    finally:
        fcntl.flock(room, fcntl.LOCK_UN)


def _doors() -> tuple[Path, Path]:
    folder = Path(tempfile.gettempdir())
    return folder / f".{home_prefix()}door", folder / f".{home_prefix()}room"


@cache
def _opened() -> tuple[int, int]:
    door, room = (os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in _doors())
    return door, room
