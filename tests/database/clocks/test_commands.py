"""`govbus clock years` and `govbus clock packs import` on a real database."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.clocks.calendar_file import packaged_years
from services.control.clocks.pack_file import packaged_packs
from services.control.store.accounts.persons import person_by_login
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from tests.database_fixture import DatabaseOnly
from tests.support.staff import staffed
from tests.unit.cli.called import Ended, shape

COMMANDS = typer.main.get_command(app)
Call = Callable[..., Ended]


@pytest.fixture
def clock(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control_database: ControlDatabase,
    database_server: DatabaseOnly,
) -> Call:
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(database_server.settings.postgres_port))
    with control_database.begin() as connection:
        staffed(connection)

    def call(*arguments: str | Path) -> Ended:
        code = run(lambda: COMMANDS(["clock", *map(str, arguments)]))
        return Ended(code, *capsys.readouterr())

    return call


def test_a_year_is_imported_listed_and_not_imported_twice(clock: Call) -> None:
    file = packaged_years() / "2026.csv"
    first = clock("years", "import", file, "--as", "li", "--json")
    shape("clock-years-import").validate(first.answer)
    assert (first.answer["year"], first.answer["changed"]) == (2026, True)
    assert clock("years", "import", file, "--as", "li", "--json").answer["changed"] is False
    listed = clock("years", "list", "--json")
    shape("clock-years-list").validate(listed.answer)
    assert listed.answer == {"years": [2026]}


def test_a_file_that_is_no_calendar_is_told_with_every_line(clock: Call, tmp_path: Path) -> None:
    text = (packaged_years() / "2026.csv").read_text(encoding="utf-8")
    wrong = tmp_path / "2027.csv"
    wrong.write_text(text.replace("holiday", "holyday"), encoding="utf-8")
    ended = clock("years", "import", wrong, "--as", "li")
    assert ended.code == ExitCode.USAGE
    assert "2027.csv:3" in ended.err
    assert clock("years", "list", "--json").answer == {"years": []}


def test_a_pack_is_imported_once_and_never_changed(clock: Call, tmp_path: Path) -> None:
    text = (packaged_packs() / "national-2025.yaml").read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    first = clock("packs", "import", file, "--as", "li", "--json")
    shape("clock-packs-import").validate(first.answer)
    assert first.answer["imported"] == "national-2025/1"
    assert clock("packs", "import", file, "--as", "li", "--json").answer["imported"] is None
    file.write_text(text.replace("working_days: 10", "working_days: 8"), encoding="utf-8")
    refused = clock("packs", "import", file, "--as", "li")
    assert refused.code == ExitCode.REFUSED
    assert "version: 2" in refused.err
    file.write_text(text.replace("level: national", "level: moon"), encoding="utf-8")
    broken = clock("packs", "import", file, "--as", "li")
    assert broken.code == ExitCode.USAGE
    assert "mine.yaml:" in broken.err


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize("who", ["wang", "chen", "zhao", "nobody"])
def test_only_the_authority_changes_calendar_and_packs(clock: Call, who: str) -> None:
    for what, file in (
        ("years", packaged_years() / "2026.csv"),
        ("packs", packaged_packs() / "national-2025.yaml"),
    ):
        ended = clock(what, "import", file, "--as", who)
        assert ended.code == (ExitCode.USAGE if who == "nobody" else ExitCode.REFUSED)
    assert clock("years", "list", "--json").answer == {"years": []}


def test_the_ledger_names_the_machines_user_and_the_authority(
    clock: Call, control_database: ControlDatabase
) -> None:
    clock("years", "import", packaged_years() / "2026.csv", "--as", "li")
    clock("packs", "import", packaged_packs() / "national-2025.yaml", "--as", "li")
    with control_database.begin() as connection:
        li = person_by_login(connection, "li")
        kinds = OUTBOX.c.what.in_(["calendar.import", "policy-pack.import"])
        acts = connection.execute(OUTBOX.select().where(kinds)).all()
    assert li is not None
    assert len(acts) == 2
    assert all(act.who.startswith("console:") and act.facts["for"] == str(li.id) for act in acts)
