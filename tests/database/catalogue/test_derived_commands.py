"""`govbus catalogue demand | directory | duties`, `clock breaches`, `ticket refusals` on a real database."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.store.accounts.persons import people
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.control.store.snapshots import Kind, put
from services.control.tickets.words import Action as TicketAction
from tests.database.tickets.filing import file, taken
from tests.database_fixture import DatabaseOnly
from tests.support.desk import Office
from tests.support.schema_steps import CODE, resource_document
from tests.support.sharing_cases import CONSUMER, PERSON
from tests.support.staff import hire, staffed
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.tickets import BUREAU, PROVIDER
from tests.unit.catalogue.test_directories import WITHHELD
from tests.unit.cli.called import Ended, shape

COMMANDS = typer.main.get_command(app)
Call = Callable[..., Ended]
NEED = ("--as", "chen", "--scenario", "流浪人员医疗救治", "--basis", "《社会救助暂行办法》")


@pytest.fixture
def govbus(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control_database: ControlDatabase,
    database_server: DatabaseOnly,
) -> Call:
    """The command with the test's database, and the departments of the sample city."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(database_server.settings.postgres_port))
    with control_database.begin() as connection:
        staffed(connection)

    def call(*arguments: str | Path) -> Ended:
        code = run(lambda: COMMANDS(list(map(str, arguments))))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err, ended.err
        return ended

    return call


def answered(govbus: Call, *arguments: str | Path, like: str, code: ExitCode = ExitCode.OK) -> dict[str, Any]:
    """What a command answers in the documented shape."""
    ended = govbus(*arguments, "--json")
    assert ended.code == code, ended.err
    shape(like).validate(ended.answer)
    return dict(ended.answer)


def demand(govbus: Call, *arguments: str, like: str = "step", code: ExitCode = ExitCode.OK) -> dict[str, Any]:
    """What a command on needs answers."""
    return answered(govbus, "catalogue", "demand", *arguments, like=f"catalogue-demand-{like}", code=code)


@pytest.mark.requirement("A2-09", "A6-07")
def test_a_need_is_stated_assigned_drafted_and_listed(govbus: Call) -> None:
    made = demand(govbus, "state", "救助信息", *NEED, "--item", "姓名")
    number = str(made["need"]["number"])
    assigned = demand(govbus, "step", "assign", number, "--as", "li", "--to", "police")
    assert assigned["need"]["state"] == "assigned"
    drafted = demand(govbus, "step", "draft", number, "--as", "wang")
    assert drafted["need"]["entry"]
    assert govbus("catalogue", "list").out.count("救助信息") == 1
    (merged,) = demand(govbus, "list", like="list")["demand"]
    assert (merged["departments"], merged["assigned_to"]) == (["health"], ["police"])
    (line,) = demand(govbus, "needs", "--state", "drafted", like="needs")["needs"]
    assert line["number"] == int(number)
    assert [each["action"] for each in demand(govbus, "show", number, like="show")["events"]] == [
        "assign",
        "draft",
    ]
    for command in (("list",), ("needs",), ("show", number)):
        assert "救助信息" in govbus("catalogue", "demand", *command).out


def test_the_ledger_names_the_machines_user_and_the_account_of_each_step_of_a_need(
    govbus: Call, control_database: ControlDatabase
) -> None:
    number = str(demand(govbus, "state", "救助信息", *NEED)["need"]["number"])
    demand(govbus, "step", "assign", number, "--as", "li", "--to", "police")
    demand(govbus, "step", "draft", number, "--as", "wang")
    with control_database.begin() as connection:
        login = {str(each.id): each.login for each in people(connection)}
        rows = connection.execute(OUTBOX.select().where(OUTBOX.c.who.startswith("console:")))
        acts = [(row.what, login[row.facts["for"]]) for row in rows if "for" in row.facts]
    assert acts == [
        ("demand.state", "chen"),
        ("demand.assign", "li"),
        ("catalogue.open", "wang"),
        ("demand.draft", "wang"),
    ]


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("who", "step"),
    [
        ("wang", ("assign", "--to", "police")),
        ("chen", ("assign", "--to", "police")),
        ("sun", ("draft",)),
        ("qian", ("withdraw",)),
        ("zhao", ("decline", "--why", "x", "--reason", "NOBODY_HOLDS_IT")),
    ],
)
def test_who_may_not_on_the_page_may_not_take_a_step_on_the_shell(
    govbus: Call, who: str, step: tuple[str, ...]
) -> None:
    number = str(demand(govbus, "state", "救助信息", *NEED)["need"]["number"])
    action, *more = step
    ended = govbus("catalogue", "demand", "step", action, number, *more, "--as", who)
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    assert f"{who} may not (demand.{action})" in ended.err
    assert demand(govbus, "needs", "--state", "stated", like="needs")["needs"]


def test_what_is_against_a_need_is_told(govbus: Call, control_database: ControlDatabase) -> None:
    bare = demand(govbus, "state", " ", *NEED, code=ExitCode.REFUSED)
    assert [each["code"] for each in bare["problems"]] == ["SUBJECT_MISSING"]
    assert govbus("catalogue", "demand", "state", " ", *NEED).code == ExitCode.REFUSED
    number = str(demand(govbus, "state", "救助信息", *NEED)["need"]["number"])
    with control_database.begin() as connection:
        hire(connection, "gao", "health", Role.AUTHORITY)
    own = govbus("catalogue", "demand", "step", "decline", number, "--as", "gao")
    assert own.code == ExitCode.REFUSED
    assert "gao may not (demand.decline)" in own.err
    bare = demand(govbus, "step", "decline", number, "--as", "li", code=ExitCode.REFUSED)
    assert {each["code"] for each in bare["problems"]} == {"REASON_MISSING", "TEXT_MISSING"}
    assert govbus("catalogue", "demand", "show", "99").code == ExitCode.NEGATIVE
    assert govbus("catalogue", "demand", "state", "x", *NEED, "--code", "odd").code == ExitCode.USAGE


@pytest.mark.requirement("A2-10", "A3-07")
def test_directories_are_shown_and_written(
    govbus: Call, control_database: ControlDatabase, tmp_path: Path
) -> None:
    with control_database.begin() as connection:
        for each in (numbered(2), WITHHELD):
            brought(connection, opened(connection, each))
    shared = answered(govbus, "catalogue", "directory", "share", like="catalogue-directory")
    assert [each["name"] for each in shared["entries"]] == [numbered(2).name]
    assert "《刑事诉讼法》第五十四条" in govbus("catalogue", "directory", "not_shared").out
    table, whole = tmp_path / "share.csv", tmp_path / "share.json"
    for path in (table, whole):
        assert govbus("catalogue", "directory", "share", path).code == ExitCode.OK
        assert govbus("catalogue", "directory", "share", path).code == ExitCode.REFUSED
    _, row = csv.reader(table.read_text(encoding="utf-8-sig").splitlines())
    assert row[1] == numbered(2).name
    assert json.loads(whole.read_text(encoding="utf-8")) == shared
    assert govbus("catalogue", "directory", "share", tmp_path / "x.txt").code == ExitCode.USAGE


@pytest.mark.requirement("A2-08")
def test_duties_of_the_store_are_judged_by_what_was_seen(
    govbus: Call, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection, numbered(2)))
        seen = {str(numbered(2).code): {"state": "stale", "differences": []}}
        put(connection, Kind.MOUNTING, seen, datetime.now(UTC))
    (department,) = answered(govbus, "catalogue", "duties", like="catalogue-duties")["departments"]
    assert (department["fulfilled"], len(department["duties"])) == (0, 2)
    assert {each["fulfilment"] for each in department["duties"]} == {"stale"}
    assert "stale" in govbus("catalogue", "duties").out


@pytest.mark.requirement("A12-08")
def test_breaches_are_listed_and_the_exit_code_says_that_there_are_any(
    govbus: Call, control_database: ControlDatabase
) -> None:
    assert answered(govbus, "clock", "breaches", like="clock-breaches") == {"breaches": [], "total": 0}
    office, then = Office(control_database), datetime.now(UTC) - timedelta(days=60)
    office.done(office.opened(now=then), Action.SUBMIT, CONSUMER, then)
    found = answered(govbus, "clock", "breaches", like="clock-breaches", code=ExitCode.NEGATIVE)
    (breach,) = found["breaches"]
    assert (breach["department"], breach["stage"]) == ("police", "reply")
    assert breach["days_late"] > 20
    none = answered(govbus, "clock", "breaches", "--department", "tax", like="clock-breaches")
    assert none["total"] == 0
    assert "police" in govbus("clock", "breaches").out


@pytest.mark.requirement("A9-08")
def test_refusals_to_correct_are_listed(govbus: Call, control_database: ControlDatabase) -> None:
    answer = file(control_database)
    refused = ((TicketAction.DISPATCH, BUREAU), (TicketAction.REFUSE, PROVIDER))
    taken(control_database, str(answer.id), *refused)
    (line,) = answered(govbus, "ticket", "refusals", like="ticket-refusals")["refusals"]
    assert (line["provider"], line["outcome"]) == ("police", "stands")
    assert answered(govbus, "ticket", "refusals", "--outcome", "upheld", like="ticket-refusals") == {
        "refusals": []
    }
    assert "RECORD_IS_RIGHT" in govbus("ticket", "refusals").out


@pytest.mark.requirement("A2-05")
def test_a_step_of_revision_keeps_the_day_of_the_change(
    govbus: Call, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection, numbered(2)))
    code, clerk = str(numbered(2).code), ("--as", "wang")
    revise = ("catalogue", "step", "revise", code, *clerk, "--why", "法律修订", "--changed-on")
    assert govbus(*revise, "2099-01-01").code == ExitCode.REFUSED
    assert govbus(*revise, "2026-01-05").code == ExitCode.OK
    shown = answered(govbus, "catalogue", "show", code, like="catalogue-show")
    assert shown["steps"][-1]["changed_on"] == "2026-01-05"


@pytest.mark.requirement("A2-07")
def test_a_revision_is_registered_with_the_number_of_its_filing_where_packs_ask_for_one(
    govbus: Call, control_database: ControlDatabase
) -> None:
    Office(control_database)
    with control_database.begin() as connection:
        brought(connection, opened(connection, numbered(2)))
    code = str(numbered(2).code)
    for step, more in (("revise", ("--why", "法律修订")), ("submit", ())):
        assert govbus("catalogue", "step", step, code, "--as", "wang", *more).code == ExitCode.OK
    register = ("catalogue", "step", "register", code, "--as", "li")
    refused = answered(govbus, *register, like="catalogue-step", code=ExitCode.REFUSED)
    assert [each["refusal"] for each in refused["entries"]] == ["FILING_MISSING"]
    assert govbus(*register, "--filing", "备案17号").code == ExitCode.OK
    shown = answered(govbus, "catalogue", "show", code, like="catalogue-show")
    assert [each["filing"] for each in shown["versions"]] == ["", "备案17号"]


def test_schemas_of_an_entry_say_what_changed_and_what_readers_cannot_follow(
    govbus: Call, control_database: ControlDatabase
) -> None:
    assert govbus("catalogue", "schemas", CODE).code == ExitCode.NEGATIVE
    assert govbus("catalogue", "schemas", "none").code == ExitCode.USAGE
    with control_database.begin() as connection:
        put(connection, Kind.RESOURCE, {PERSON: resource_document()}, datetime(2026, 11, 26, tzinfo=UTC))
    (resource,) = answered(govbus, "catalogue", "schemas", CODE, like="catalogue-schemas")["resources"]
    assert [each["after"] for each in resource["steps"]] == ["3", "2"]
    shown = govbus("catalogue", "schemas", CODE).out
    assert "2026-11-26" in shown
    assert shown.count("cannot follow") == 2
