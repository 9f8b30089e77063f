"""`govbus credential …` on a real database: answers of the documented shapes, a code that is printed once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import typer

from services.cli import bus, credential
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.provisioning.credential import DEPARTMENT
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.provisioning import credentials
from tests.unit.cli.called import Ended, Govbus, shape
from topics.event import ConsumerId

COMMANDS = typer.main.get_command(app)
HEALTH = ConsumerId("health")


@pytest.fixture
def govbus(
    control_database: ControlDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Govbus:
    """The command, with a department whose second credential ends in twenty days."""

    @contextmanager
    def opened() -> Iterator[ControlDatabase]:
        yield control_database

    monkeypatch.setattr(credential, "open_control", opened)
    monkeypatch.setattr(bus, "actor", lambda: "zhao min")
    monkeypatch.setenv("COLUMNS", "300")
    now = datetime.now(UTC)
    with control_database.begin() as connection:
        credentials.enter(connection, HEALTH, now - timedelta(days=300), now - timedelta(days=120))
        ends = now + timedelta(days=20)
        credentials.replace(connection, HEALTH, now - timedelta(days=160), ends)

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


def fits(name: str, ended: Ended) -> None:
    assert ended.code == ExitCode.OK, ended.err
    assert list(shape(name).iter_errors(ended.answer)) == []


def test_the_list_names_the_newest_of_each_department_and_how_long_it_is_good(govbus: Govbus) -> None:
    listed = govbus("credential", "list", "--json")
    fits("credential-list", listed)
    (found,) = listed.answer["credentials"]
    assert (found["consumer"], found["version"], found["standing"]) == ("health", 2, "ends_soon")
    assert found["days_left"] == 20
    assert "ends_soon" in govbus("credential", "list").out


def test_every_version_is_shown_the_newest_first(govbus: Govbus) -> None:
    shown = govbus("credential", "show", "health", "--json")
    fits("credential-show", shown)
    assert [each["version"] for each in shown.answer["versions"]] == [2, 1]
    assert [each["standing"] for each in shown.answer["versions"]] == ["ends_soon", "replaced"]
    assert "replaced" in govbus("credential", "show", "health").out
    missing = govbus("credential", "show", "nobody", "--json")
    assert (missing.code, "credential list" in missing.err) == (ExitCode.NEGATIVE, True)


def test_a_code_is_printed_once_and_the_lists_say_that_it_is_out(
    govbus: Govbus, control_database: ControlDatabase
) -> None:
    ordered = govbus("credential", "rotate", "health", "--json")
    fits("credential-rotate", ordered)
    listed, shown = govbus("credential", "list", "--json"), govbus("credential", "show", "health")
    assert listed.answer["credentials"][0]["code_until"] == ordered.answer["expires_at"]
    assert "is out until" in shown.err
    assert ordered.answer["code"] not in listed.out + shown.out + shown.err
    with control_database.begin() as connection:
        (act,) = acts_on(connection, DEPARTMENT, HEALTH)
    assert (act.who, act.what) == ("console:zhao_min", "credential.rotation_ordered")
    assert govbus("credential", "rotate", "health").out.startswith("gbc_")


def test_no_code_is_made_for_a_department_that_is_not_known(govbus: Govbus) -> None:
    ended = govbus("credential", "rotate", "nobody", "--json")
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    assert "govbus credential list" in ended.err
