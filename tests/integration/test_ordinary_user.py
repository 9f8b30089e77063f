"""Somebody who is not root starts, looks at and stops a stack; PostgreSQL then runs as this user too."""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.stack.api import Stack
from services.stack.progress import Silent
from services.stack.settings import StackSettings
from tests.integration.test_stack import processes_below
from tests.stack_fixture import settings_for, temporary_home

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root shows this with every other test"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not installed"),
]

PROGRAM = Path(__file__).parents[2] / ".venv" / "bin" / "govbus"
NOBODY = pwd.getpwnam("nobody")
#: May read what it runs from, and no more: checkout, interpreter and cache may lie below root's own folder.
AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY.pw_uid}",
    f"--regid={NOBODY.pw_gid}",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
    "--no-new-privs",
)


@pytest.fixture
def home() -> Iterator[StackSettings]:
    """A stack's folder that belongs to nobody; the cache, which it cannot write, is full already."""
    settings = settings_for(temporary_home())
    ready = Stack(settings)
    ready.context.jars.fetch(Silent())
    ready.context.jars.plugins()
    ready.context.jars.unpacked("registry")
    os.chown(settings.home, NOBODY.pw_uid, NOBODY.pw_gid)
    yield settings
    ready.reset()
    shutil.rmtree(settings.home, ignore_errors=True)


def command(settings: StackSettings) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs govbus as nobody on that stack, with nothing of root's environment."""
    values = {settings.variable(name): str(value) for name, value in settings if value is not None}
    environment = {"PATH": os.defpath, "HOME": str(settings.home), "LANG": "C.UTF-8", **values}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*AS_NOBODY, str(PROGRAM), *arguments],
            env=environment,
            cwd=settings.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return run


def test_an_ordinary_user_starts_sees_and_stops_the_stack(home: StackSettings) -> None:
    govbus = command(home)
    try:
        up = govbus("up")
        assert up.returncode == 0, up.stderr
        status = govbus("status", "--json")
        assert status.returncode == 0, status.stdout + status.stderr
        parts = json.loads(status.stdout.splitlines()[-1])["components"]
        owners = {part["name"]: psutil.Process(part["pid"]).uids() for part in parts}
        assert owners.keys() == {"postgres", "kafka", "registry", "connect"}
        assert {uid for uids in owners.values() for uid in uids} == {NOBODY.pw_uid}
        secrets = home.home / "secrets"
        assert {path.stat().st_mode & 0o077 for path in secrets.rglob("*")} == {0}
    finally:
        down = govbus("down")
    assert down.returncode == 0, down.stderr
    assert processes_below(str(home.home)) == []
    again = govbus("status", "--json")
    assert again.returncode == 1
    states = {part["state"] for part in json.loads(again.stdout.splitlines()[-1])["components"]}
    assert states == {"stopped"}
