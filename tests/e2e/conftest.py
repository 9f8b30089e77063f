"""The city that end-to-end tests share, and commands on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.stack.api import Stack
from tests.e2e.live_city import LiveCity
from tests.e2e.stopped_within import environment


@pytest.fixture(scope="session")
def city(stack: Stack) -> LiveCity:
    """The sample city on the session's stack, loaded and granted."""
    return LiveCity.found(stack)


@pytest.fixture
def command(city: LiveCity, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs a govbus command on the city's stack; returns its exit code and what it answers."""
    for name, value in environment(city.stack).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])

    return run
