"""How the Java parts are started: a quick start is asked for by one setting and reaches each of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.stack.component import Component, Context
from services.stack.connect import Connect
from services.stack.kafka import Kafka
from services.stack.layout import Layout
from services.stack.registry import Registry
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings

LIGHT = "-XX:TieredStopAtLevel=1"


def command_of(part: type[Component], home: Path, *, quick: bool) -> list[str]:
    """The command of a part whose archives are somewhere."""
    (home / "quarkus-run.jar").touch()
    jars: Any = SimpleNamespace(
        classpath=lambda _name: "a.jar:b.jar",
        files=lambda _name: [Path("a.jar")],
        unpacked=lambda _name: home,
    )
    settings = StackSettings(home=home, cache=home, quick_start=quick)
    layout = Layout(home)
    return list(part(Context(settings, layout, SecretFiles(layout.secrets), jars)).command().argv)


@pytest.mark.parametrize("part", [Kafka, Registry, Connect])
def test_a_quick_start_compiles_lightly_and_nothing_else_differs(
    part: type[Component], tmp_path: Path
) -> None:
    quick, thorough = (command_of(part, tmp_path, quick=each) for each in (True, False))
    assert LIGHT in quick
    assert [word for word in quick if word != LIGHT] == thorough


def test_a_stack_starts_thoroughly_unless_it_is_told_to_start_quickly() -> None:
    assert not StackSettings.from_environment({}).quick_start
    assert StackSettings.from_environment({"GOVBUS_QUICK_START": "true"}).quick_start
