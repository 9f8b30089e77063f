"""A city in memory, and the commands on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer

from services.cli import bus, owing
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode, run
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import ENROLMENT, PERSON, Ended, Govbus

COMMANDS = typer.main.get_command(app)


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.change("c", after={**PERSON, "id": 2, "id_number": None})
    found.change("c", after=ENROLMENT, enrolment=True)
    found.pump()
    return found


@pytest.fixture
def govbus(city: MemoryCity, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Govbus:
    @contextmanager
    def open_bus(timeout_s: float = 0) -> Iterator[bus.Bus]:
        yield bus.Bus(city.lookup, city)

    monkeypatch.setattr(bus, "open_bus", open_bus)

    @contextmanager
    def no_database() -> Iterator[None]:
        raise CommandFailed(ExitCode.UNAVAILABLE, "there is no database of the control plane", "", "")
        yield

    monkeypatch.setattr(owing, "open_control", no_database)
    monkeypatch.setattr(bus, "actor", lambda: "wang")

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call
