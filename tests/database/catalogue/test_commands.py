"""`govbus catalogue` and `govbus database` on a real database: answers, exit codes, what to do without."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from services.cli.account_console import named
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.accounts.roles import Role as AccountRole
from services.control.catalogue.files import read_catalogue, write_catalogue
from services.control.catalogue.importing import Imported
from services.control.catalogue.lifecycle import Action
from services.control.store.accounts.acts import Order
from services.control.store.accounts.roles import give_role, take_role
from services.control.store.catalogue.dossiers import KIND
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from tests.database_fixture import DatabaseOnly
from tests.support.catalogue import COMPLETE, entry
from tests.support.ports import free_ports
from tests.support.staff import staffed
from tests.support.stored_catalogue import RULES, WHEN, brought, numbered, opened
from tests.unit.cli.called import Ended, shape

COMMANDS = typer.main.get_command(app)
Call = Callable[..., Ended]
CLERK, REVIEWER = ("--as", "wang"), ("--as", "li")


@pytest.fixture
def govbus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: str | Path) -> Ended:
        code = run(lambda: COMMANDS(list(map(str, arguments))))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err, ended.err
        return ended

    return call


@pytest.fixture
def stored(
    govbus: Call,
    monkeypatch: pytest.MonkeyPatch,
    control_database: ControlDatabase,
    database_server: DatabaseOnly,
) -> Call:
    """The command with the test's database."""
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(database_server.settings.postgres_port))
    with control_database.begin() as connection:
        staffed(connection)
    return govbus


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "three.csv"
    write_catalogue(path, [COMPLETE, numbered(2, name="企业登记信息"), numbered(3)])
    return path


def answered(
    stored: Call, command: str, *arguments: str | Path, code: ExitCode = ExitCode.OK
) -> dict[str, Any]:
    ended = stored("catalogue", command, *arguments, "--json")
    assert ended.code == code, ended.err
    shape(f"catalogue-{'list' if command == 'search' else command}").validate(ended.answer)
    return dict(ended.answer)


def test_a_file_is_imported_found_listed_and_shown(stored: Call, file: Path) -> None:
    imported = answered(stored, "import", file)
    assert imported["outcomes"] == {"opened": 3, "edited": 0, "revised": 0, "unchanged": 0}
    assert imported["imported"] is True
    found = answered(stored, "search", "qydj")
    assert [each["name"] for each in found["entries"]] == ["企业登记信息"]
    listed = answered(stored, "list", "--state", "draft", "--limit", "2")
    assert listed["total"] == 3
    rest = answered(stored, "list", "--state", "draft", "--limit", "2", "--after", str(listed["next"]))
    assert rest["next"] is None
    assert len(rest["entries"]) == 1
    shown = answered(stored, "show", str(COMPLETE.code))
    assert [each["action"] for each in shown["steps"]] == ["open"]
    for command in (("search", "居住证"), ("list",), ("show", str(COMPLETE.code)), ("import", file)):
        told = stored("catalogue", *command)
        assert told.code == ExitCode.OK, told.err
    assert "居住证办理信息" in stored("catalogue", "show", str(COMPLETE.code)).out


def test_a_dry_run_says_what_would_be_and_writes_nothing(stored: Call, file: Path) -> None:
    dry = answered(stored, "import", file, "--dry-run")
    assert dry["outcomes"] == {"opened": 3, "edited": 0, "revised": 0, "unchanged": 0}
    assert dry["imported"] is False
    assert answered(stored, "list")["total"] == 0


def test_a_file_with_one_error_leaves_nothing(stored: Call, tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    write_catalogue(path, [COMPLETE, numbered(2, summary="")])
    answer = answered(stored, "import", path, code=ExitCode.NEGATIVE)
    assert [each["rule"] for each in answer["problems"]] == ["MISSING"]
    assert answered(stored, "list")["total"] == 0


def test_what_stands_against_an_import_is_told_in_both_languages(
    stored: Call, file: Path, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection, entry(summary="另一摘要")), steps=1)
    answer = answered(stored, "import", file, code=ExitCode.NEGATIVE)
    (clash,) = answer["clashes"]
    assert clash["against"] == "UNDER_REVIEW"
    assert "待注册审核" in clash["problem"]["zh"]
    assert "registration review" in clash["problem"]["en"]
    told = stored("catalogue", "import", file, "--language", "zh")
    assert told.code == ExitCode.NEGATIVE
    assert "正在审核" in told.out
    assert answered(stored, "list")["total"] == 1


@pytest.mark.requirement("A2-03")
def test_entries_go_through_their_life_step_by_step(stored: Call, file: Path) -> None:
    stored("catalogue", "import", file, *CLERK)
    codes = (str(COMPLETE.code), str(numbered(3).code))
    for action, who in (
        ("submit", CLERK),
        ("register", REVIEWER),
        ("request_publication", CLERK),
        ("publish", REVIEWER),
    ):
        assert answered(stored, "step", action, *codes, *who)["done"] is True
    assert answered(stored, "list", "--published")["total"] == 2
    gone = answered(stored, "step", "withdraw", codes[0], *CLERK, "--why", "停用")
    assert gone["entries"][0]["state"] == "withdrawn"
    assert answered(stored, "list", "--published")["total"] == 1


def test_where_one_entry_is_refused_none_moves(
    stored: Call, file: Path, control_database: ControlDatabase
) -> None:
    stored("catalogue", "import", file, *CLERK)
    first, second = str(COMPLETE.code), str(numbered(3).code)
    answered(stored, "step", "submit", first, *CLERK)
    refused = answered(stored, "step", "submit", second, first, *CLERK, code=ExitCode.REFUSED)
    assert refused["done"] is False
    states = {each["code"]: each["refusal"] for each in refused["entries"]}
    assert states == {second: None, first: "WRONG_STATE"}
    assert answered(stored, "list", "--state", "draft")["total"] == 2
    with control_database.begin() as connection:
        clerk, order = named(connection, "wang"), Order("console:test", WHEN)
        take_role(connection, clerk.id, AccountRole.PROVIDER, order)
        give_role(connection, clerk.id, AccountRole.AUTHORITY, order)
    told = stored("catalogue", "step", "register", first, *CLERK, "--language", "zh")
    assert told.code == ExitCode.REFUSED
    assert "不得审核本人经办的目录" in told.out


@pytest.mark.parametrize("action", [Action.OPEN, Action.EDIT, Action.SUPERSEDE])
def test_what_nobody_asks_for_is_no_step(action: Action, stored: Call) -> None:
    ended = stored("catalogue", "step", action.value, str(COMPLETE.code), *CLERK)
    assert ended.code == ExitCode.USAGE
    assert "submit" in ended.err


def test_an_entry_that_is_not_there_is_told(stored: Call) -> None:
    missing = stored("catalogue", "show", "3013205/999999")
    assert missing.code == ExitCode.NEGATIVE
    assert "search" in missing.err
    assert stored("catalogue", "show", "居住证").code == ExitCode.USAGE


def test_a_cursor_that_is_none_is_a_wrong_call(stored: Call) -> None:
    ended = stored("catalogue", "list", "--after", "none")
    assert ended.code == ExitCode.USAGE
    assert "--after" in ended.err


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_export_of_the_store_is_the_file_that_was_imported(
    suffix: str, stored: Call, file: Path, tmp_path: Path
) -> None:
    stored("catalogue", "import", file)
    path = tmp_path / f"exported{suffix}"
    assert answered(stored, "export", path, "--from", "newest")["entries"] == 3
    before, after = read_catalogue(file, RULES)[0], read_catalogue(path, RULES)[0]
    assert isinstance(before, Imported)
    assert isinstance(after, Imported)
    assert set(after.entries) == set(before.entries)
    assert answered(stored, "export", path, "--from", "published", "--force")["entries"] == 0


def test_duties_and_comparison_without_a_file_are_those_of_the_store(
    stored: Call, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection))
        opened(connection, numbered(2))
    duties = stored("catalogue", "duties", "--json").answer
    assert [each["department"] for each in duties["departments"]] == ["公安局"]
    assert {each["entry"] for each in duties["departments"][0]["duties"]} == {COMPLETE.name}
    compared = stored("catalogue", "compare", "--json")
    shape("catalogue-compare").validate(compared.answer)
    assert [each["name"] for each in compared.answer["without_topic"]] == [COMPLETE.name]


@pytest.mark.parametrize(
    "command",
    [("list",), ("search", "居住证"), ("show", "3013205/000001"), ("duties",), ("import", "FILE")],
    ids=lambda command: command[0],
)
def test_without_a_stack_it_is_said_what_to_do(command: tuple[str, ...], govbus: Call, file: Path) -> None:
    ended = govbus("catalogue", *(str(file) if each == "FILE" else each for each in command))
    assert ended.code == ExitCode.UNAVAILABLE
    assert "govbus up" in ended.err


def test_with_a_stack_that_is_down_it_is_said_what_to_do(
    stored: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(free_ports(1)[0]))
    for command in (("catalogue", "list"), ("database", "status"), ("database", "migrate")):
        ended = stored(*command)
        assert ended.code == ExitCode.UNAVAILABLE
        assert "govbus up" in ended.err


def test_the_standing_of_the_tables_is_told_and_mended(
    govbus: Call, monkeypatch: pytest.MonkeyPatch, database_server: DatabaseOnly
) -> None:
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    with database_server.opened("standing"):
        monkeypatch.setenv("GOVBUS_CONTROL_URL", database_server.address("standing").url)
        monkeypatch.setenv("GOVBUS_CONTROL_PASSWORD_FILE", str(database_server.address().password_file))
        behind = govbus("database", "status", "--json")
        shape("database").validate(behind.answer)
        assert (behind.code, behind.answer["standing"]) == (ExitCode.NEGATIVE, "behind")
        unusable = govbus("catalogue", "list")
        assert unusable.code == ExitCode.UNAVAILABLE
        assert "govbus database migrate" in unusable.err
        migrated = govbus("database", "migrate", "--json")
        assert (migrated.code, migrated.answer["standing"]) == (ExitCode.OK, "current")
        assert "calendar filled with" in migrated.err
        assert govbus("database", "migrate").err == ""
        assert govbus("database", "status").code == ExitCode.OK
        assert govbus("catalogue", "list").code == ExitCode.OK


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("who", "step", "refusal"),
    [
        ("sun", "submit", "this is another department's"),
        ("li", "submit", "none of your roles may do this"),
        ("chen", "submit", "none of your roles may do this"),
        ("wang", "register", "none of your roles may do this"),
        ("zhao", "register", "none of your roles may do this"),
        ("王小明", "submit", "there is no account"),
    ],
)
def test_who_may_not_on_the_page_may_not_on_the_shell(
    stored: Call, file: Path, who: str, step: str, refusal: str
) -> None:
    stored("catalogue", "import", file)
    ended = stored("catalogue", "step", step, str(COMPLETE.code), "--as", who)
    assert ended.code == (ExitCode.USAGE if who == "王小明" else ExitCode.REFUSED)
    assert refusal in ended.err
    assert answered(stored, "list", "--state", "draft")["total"] == 3


def test_an_account_imports_what_is_its_own_departments_only(
    stored: Call, file: Path, control_database: ControlDatabase
) -> None:
    told = answered(stored, "import", file, "--as", "sun", code=ExitCode.NEGATIVE)
    assert {each["against"] for each in told["clashes"]} == {"OTHER_DEPARTMENT"}
    assert stored("catalogue", "import", file, "--as", "li").code == ExitCode.REFUSED
    assert answered(stored, "list")["total"] == 0
    answered(stored, "import", file, *CLERK)
    answered(stored, "step", "submit", str(COMPLETE.code), *CLERK)
    with control_database.begin() as connection:
        wang = str(named(connection, "wang").id)
        rows = connection.execute(OUTBOX.select().where(OUTBOX.c.kind == KIND))
        acts = [(row.who, row.what, row.facts["for"]) for row in rows]
    assert len(acts) == 4
    assert {who.partition(":")[0] for who, _, _ in acts} == {"console"}
    assert {(what, for_) for _, what, for_ in acts} == {("catalogue.open", wang), ("catalogue.submit", wang)}
