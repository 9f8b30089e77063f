"""`govbus catalogue retire` and what follows it, on a real database: shapes, exit codes, who may."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.clocks.calendar_file import china
from services.control.definitions import packaged_definitions
from services.control.retirements.plan import first_day
from services.control.store.accounts.persons import person_by_login
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.prepare import prepare
from tests.database_fixture import DatabaseOnly
from tests.support.retiring import NEW, OLD, publish_entry
from tests.support.staff import staffed
from tests.unit.cli.called import Ended, shape

COMMANDS = typer.main.get_command(app)
WANG, LI, CHEN = "wang", "li", "chen"
Call = Callable[..., Ended]


@pytest.fixture
def govbus(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control_database: ControlDatabase,
    database_server: DatabaseOnly,
    tmp_path: Path,
) -> Call:
    """The command over definitions with two versions of persons, under one published entry."""
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(database_server.settings.postgres_port))
    monkeypatch.setenv("COLUMNS", "300")
    prepare(control_database, datetime(2026, 1, 5, tzinfo=UTC))
    with control_database.begin() as connection:
        publish_entry(connection)
        staffed(connection)
    folder = tmp_path / "definitions"
    shutil.copytree(packaged_definitions(), folder)
    person = (folder / "resources" / "person.yaml").read_text(encoding="utf-8")
    newer = person.replace("version: 1\n", "version: 2\n", 1).replace("table: person,", "table: person_v2,")
    (folder / "resources" / "person-v2.yaml").write_text(newer, encoding="utf-8")

    def call(command: str, *arguments: str) -> Ended:
        declared = () if command == "retirements" else ("--definitions", str(folder))
        code = run(lambda: COMMANDS(["catalogue", command, *arguments, *declared]))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err, ended.err
        return ended

    return call


def answered(call: Call, command: str, *arguments: str, code: ExitCode = ExitCode.OK) -> Any:
    ended = call(command, *arguments, "--json")
    assert ended.code == code, ended.err
    shape("catalogue-retirements" if command == "retirements" else "catalogue-retire").validate(ended.answer)
    return ended.answer


def earliest() -> date:
    """The first day that is far enough, from today as the command counts it."""
    return first_day(china(), datetime.now(UTC).date() + timedelta(days=1), 30).day


def test_a_version_is_retired_listed_postponed_and_kept(
    govbus: Call, control_database: ControlDatabase
) -> None:
    day, later = earliest().isoformat(), (earliest() + timedelta(days=7)).isoformat()
    why = ("--reason", "住址拆分", "--as", WANG)
    made = answered(govbus, "retire", OLD, "--by", NEW, "--on", day, *why)["retirement"]
    assert (made["old"], made["new"], made["state"], made["retires_on"]) == (OLD, NEW, "planned", day)
    assert answered(govbus, "retirements", "--state", "planned")["items"] == [made]
    moved = answered(govbus, "postpone-retirement", OLD, "--on", later, *why)["retirement"]
    assert (moved["retires_on"], moved["version"]) == (later, 2)
    kept = answered(govbus, "cancel-retirement", OLD, "--reason", "不再变更", "--as", LI)["retirement"]
    assert kept["state"] == "cancelled"
    assert later in govbus("retirements").out
    with control_database.begin() as connection:
        acts = acts_on(connection, "resource", OLD)
        wang, li = (str(found.id) for name in (WANG, LI) if (found := person_by_login(connection, name)))
    assert [(act.what, act.facts["for"], act.facts["role"]) for act in acts] == [
        ("catalogue.retire", wang, "provider"),
        ("catalogue.postpone", wang, "provider"),
        ("catalogue.cancel_retirement", li, "authority"),
    ]
    assert all(act.who.startswith("console:") for act in acts)


def test_what_is_against_it_is_said_at_once_and_nothing_changes(govbus: Call) -> None:
    tomorrow = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()
    wrong = ("--by", "legal.enterprise.v1", "--on", tomorrow, "--reason", " ", "--as", WANG)
    found = answered(govbus, "retire", OLD, *wrong, code=ExitCode.REFUSED)
    codes = ["SUCCESSOR_UNKNOWN", "SUCCESSOR_OTHER", "PARALLEL_TOO_SHORT", "WHY_MISSING"]
    assert [each["code"] for each in found["problems"]] == codes
    assert found["retirement"] is None
    assert "SUCCESSOR_OTHER" in govbus("retire", OLD, *wrong).out
    assert answered(govbus, "retirements")["items"] == []


def test_nobody_else_decides_on_it_and_what_is_not_there_is_named(govbus: Call) -> None:
    day = earliest().isoformat()
    for whom in (CHEN, "sun", "zhao"):
        ended = govbus("retire", OLD, "--by", NEW, "--on", day, "--reason", "x", "--as", whom)
        assert ended.code == ExitCode.REFUSED, whom
        assert f"{whom} may not" in ended.err
    unknown = govbus("retire", "a.b.v1", "--by", "a.b.v2", "--on", day, "--reason", "x", "--as", WANG)
    assert unknown.code == ExitCode.USAGE
    missing = govbus("cancel-retirement", OLD, "--reason", "x", "--as", WANG)
    assert missing.code == ExitCode.NEGATIVE
    assert "govbus catalogue retirements" in missing.err


def test_the_shortest_parallel_run_is_a_setting(govbus: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ("--by", NEW, "--on", earliest().isoformat(), "--reason", "住址拆分", "--as", WANG)
    monkeypatch.setenv("GOVBUS_RETIREMENT_WORKING_DAYS", "60")
    found = answered(govbus, "retire", OLD, *said, code=ExitCode.REFUSED)
    assert [each["code"] for each in found["problems"]] == ["PARALLEL_TOO_SHORT"]
    monkeypatch.setenv("GOVBUS_RETIREMENT_WORKING_DAYS", "many")
    assert govbus("retire", OLD, *said).code == ExitCode.USAGE
