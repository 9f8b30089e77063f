"""The real stack for tests: one per test session, on free ports, in a temporary folder, always stopped."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from services.stack.api import Stack
from services.stack.settings import StackSettings, default_cache
from tests.support.ports import free_ports, free_run
from tests.support.side_by_side import home_prefix

PORTS = [name for name in StackSettings.model_fields if name.endswith("_port")]
#: Gates answer from the first of them on, fan-outs from twenty above it, ten for each group.
_PROCESSES = 50


def temporary_home() -> Path:
    """Return a new folder outside the checkout through which PostgreSQL's user may pass."""
    home = Path(tempfile.mkdtemp(prefix=home_prefix()))
    home.chmod(0o711)
    return home


def downloads() -> Path:
    """Where what was downloaded is kept: the user's own cache."""
    return Path(os.environ.get("GOVBUS_CACHE", "") or default_cache(os.environ))


def settings_for(home: Path) -> StackSettings:
    """Return settings for a stack of its own: free ports, small heaps, a quick start, the user's cache."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True)) | {"processes_port": free_run(_PROCESSES)}
    return StackSettings.model_validate({"home": home, "cache": downloads(), "quick_start": True, **ports})


def processes_below(home: str) -> list[psutil.Process]:
    """Return the processes that have something to do with the home: by their arguments or where they work."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        places = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        mentioned = any(home in place for place in places)
        if mentioned and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
            found.append(process)
    return found


@contextmanager
def temporary_stack() -> Iterator[Stack]:
    """Yield a started stack; stop it and delete its folder at the end."""
    stack = Stack(settings_for(temporary_home()))
    try:
        stack.up()
        yield stack
    finally:
        stack.reset()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The running stack; the one of the home that GOVBUS_TEST_HOME names, if set (ports by environment)."""
    home = os.environ.get("GOVBUS_TEST_HOME")
    if home:
        running = Stack(StackSettings.from_environment({**os.environ, "GOVBUS_HOME": home}))
        running.up()
        yield running
        return
    with temporary_stack() as started:
        yield started
