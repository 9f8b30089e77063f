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
from services.stack.postgres import reachable
from services.stack.progress import Silent
from services.stack.settings import StackSettings
from tests.stack_fixture import processes_below, settings_for, temporary_home

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv" / "bin" / "govbus"
NOBODY = pwd.getpwnam("nobody")
#: May read the interpreter, which can lie below root's own folder, and nothing else that others may not.
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

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root shows this with every other test"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not installed"),
    pytest.mark.skipif(not reachable(PROGRAM), reason="the checkout lies where only its owner may go"),
]


def shared(cache: Path, place: Path) -> Path:
    """The same files at a place that anybody reaches; copied where they cannot be linked."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    shutil.copytree(cache, place, copy_function=link, ignore=shutil.ignore_patterns(".*"))
    return place


@pytest.fixture
def home() -> Iterator[StackSettings]:
    """A stack's folder that belongs to nobody, and a full cache that nobody may read and not write."""
    outer = temporary_home()
    settings = settings_for(outer / "stack")
    full = Stack(settings)
    full.context.jars.fetch(Silent())
    full.context.jars.plugins()
    full.context.jars.unpacked("registry")
    settings = settings.model_copy(update={"cache": shared(settings.cache, outer / "cache")})
    settings.home.mkdir()
    os.chown(settings.home, NOBODY.pw_uid, NOBODY.pw_gid)
    yield settings
    Stack(settings).reset()
    shutil.rmtree(outer, ignore_errors=True)


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
        assert owners.keys() == {"postgres", "kafka", "registry", "connect", "control", "portal"}
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
