"""`govbus case`, `govbus clock explain` and `govbus policy` on a real database: shapes and exit codes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.catalogue.lifecycle import Action, Actor, Dossier, Role, State, Step, Version
from services.control.catalogue.vocabulary import Grade
from services.control.docket.written import application_document
from services.control.store.accounts.persons import person_by_login
from services.control.store.catalogue.dossiers import Change, EntryId, write
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import OUTBOX, acts_on
from services.control.store.prepare import prepare
from tests.database_fixture import DatabaseOnly
from tests.support.desk import published
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import ENTERPRISE, PERSON, application
from tests.support.staff import staffed
from tests.unit.cli.called import Ended, shape
from topics.resource import ShareType

COMMANDS = typer.main.get_command(app)
CHEN, WANG, LI = "chen", "wang", "li"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
GRADES = {"name": Grade.IMPORTANT}
Call = Callable[..., Ended]


@pytest.fixture
def govbus(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control_database: ControlDatabase,
    database_server: DatabaseOnly,
) -> Call:
    """The command on a database with calendars, packs and two published entries, one of them free."""
    monkeypatch.setenv("GOVBUS_HOME", str(database_server.settings.home))
    monkeypatch.setenv("GOVBUS_POSTGRES_PORT", str(database_server.settings.postgres_port))
    monkeypatch.setenv("COLUMNS", "300")
    prepare(control_database, NOW)
    with control_database.begin() as connection:
        staffed(connection)
        write(connection, [_published(PERSON, ShareType.CONDITIONAL), _published(ENTERPRISE)])

    def call(*arguments: str | Path) -> Ended:
        code = run(lambda: COMMANDS(list(map(str, arguments))))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err, ended.err
        return ended

    return call


def _published(resource: Any, share: ShareType = ShareType.UNCONDITIONAL) -> Change:
    declared = sample_definitions().resources[resource]
    narrowed = declared.model_copy(update={"share_type": share, "share_basis": "《户口登记条例》第三条"})
    who = Actor("wang", Role.PROVIDER, declared.provider)
    steps = (Step(1, Action.OPEN, None, State.DRAFT, who, NOW),)
    dossier = Dossier(declared.provider, (Version(1, published(narrowed, GRADES), State.PUBLISHED),), steps)
    return Change(EntryId(new_id(NOW)), None, dossier)


@pytest.fixture
def adopted(govbus: Call) -> Call:
    """The command with a policy."""
    ended = govbus(
        *("policy", "adopt", "national-2025", "yanjin-2019", "--dispute-level", "data_bureau"),
        *("--reason", "the county's", "--as", LI, "--json"),
    )
    assert ended.code == ExitCode.OK, ended.err
    shape("policy-adopt").validate(ended.answer)
    return govbus


def file(tmp_path: Path, name: str = "application.yaml", **changes: Any) -> Path:
    path = tmp_path / name
    content = application_document(application(**changes))
    text = json.dumps(content) if name.endswith("json") else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def account(database: ControlDatabase, login: str) -> str:
    """The id of an account."""
    with database.begin() as connection:
        found = person_by_login(connection, login)
    assert found is not None
    return str(found.id)


def answered(call: Call, *arguments: str | Path, like: str = "case-act", code: int = ExitCode.OK) -> Any:
    ended = call(*arguments, "--json")
    assert ended.code == code, ended.err
    shape(like).validate(ended.answer)
    return ended.answer


def applied(call: Call, tmp_path: Path, **changes: Any) -> str:
    done = answered(call, "case", "apply", file(tmp_path, **changes), "--submit", "--as", CHEN)
    return str(done["number"])


def test_a_case_goes_from_application_to_decision_and_is_shown(
    adopted: Call, tmp_path: Path, control_database: ControlDatabase
) -> None:
    number = applied(adopted, tmp_path)
    (due,) = answered(adopted, "case", "due", "--provider", "police", like="case-due")["due"]
    assert (due["number"], due["due_for"], due["due_from"]) == (int(number), "reply", "provider")
    done = answered(adopted, "case", "decide", number, "--approve", "--seen", "2", "--as", WANG)
    assert (done["outcome"], done["state"]) == ("done", "provisioning")
    shown = answered(adopted, "case", "show", number, like="case-show")
    assert [each["action"] for each in shown["events"]] == [
        "submit",
        "request_decision",
        "approve",
        "provision",
    ]
    wang = account(control_database, WANG)
    assert shown["events"][2]["who"] == {"person": wang, "role": "provider", "department": "police"}
    assert shown["events"][2]["recorder"].startswith("console:")
    assert {each["progress"] for each in shown["steps"]} == {"pending"}
    listed = answered(adopted, "case", "list", "--state", "provisioning", like="case-list")
    assert [each["number"] for each in listed["cases"]] == [int(number)]
    assert answered(adopted, "case", "check", like="case-check") == {"differences": []}
    assert answered(adopted, "case", "sweep", like="case-sweep")["declined"] == []


def test_the_ledger_names_the_login_at_the_machine_and_the_account_that_acted(
    adopted: Call, tmp_path: Path, control_database: ControlDatabase
) -> None:
    number = applied(adopted, tmp_path)
    case = answered(adopted, "case", "show", number, like="case-show")["case"]
    with control_database.begin() as connection:
        act = acts_on(connection, "case", case)[0]
    assert act.who.startswith("console:")
    assert (act.what, act.facts["for"], act.facts["department"]) == (
        "case.open",
        account(control_database, CHEN),
        "health",
    )


def test_what_is_free_passes_and_can_be_stopped_resumed_and_ended(adopted: Call, tmp_path: Path) -> None:
    number = applied(adopted, tmp_path, resource=ENTERPRISE, items=("name",), rows=())
    stop = ("--reason", "RISK", "--text", "a leak is suspected", "--as", LI)
    assert answered(adopted, "case", "suspend", number, *stop)["state"] == "suspended"
    resumed = answered(adopted, "case", "resume", number, "--text", "it is mended", "--as", LI)
    assert resumed["state"] == "provisioning"
    answered(adopted, "case", "suspend", number, *stop)
    assert answered(adopted, "case", "terminate", number, *stop)["state"] == "terminated"


@pytest.mark.requirement("A6-04", "A6-08")
def test_a_refusal_is_appealed_against_and_ruled_on(adopted: Call, tmp_path: Path) -> None:
    number = applied(adopted, tmp_path)
    bare = answered(
        adopted, "case", "decide", number, "--refuse", "PURPOSE_UNCLEAR", "--as", WANG, code=ExitCode.REFUSED
    )
    assert {each["code"] for each in bare["problems"]} == {"TEXT_MISSING", "ACCEPTABLE_IF_MISSING"}
    said = ("--text", "why?", "--acceptable-if", "say the work")
    refused = answered(adopted, "case", "decide", number, "--refuse", "PURPOSE_UNCLEAR", *said, "--as", WANG)
    assert refused["state"] == "refused"
    assert (
        answered(adopted, "case", "appeal", number, "--text", "it is clear", "--as", CHEN)["state"]
        == "negotiating"
    )
    answered(adopted, "case", "act", number, "escalate", "--text", "they will not", "--as", CHEN)
    part = tmp_path / "part.yaml"
    part.write_text(
        "items: [name]\nstart: 2026-04-01\nend: 2027-01-31\n"
        "rows: [{item: household_district, values: ['320508']}]\n"
        "masks: {name: {kind: partial, keep_first: 1}}\n"
    )
    ruled = answered(adopted, "case", "act", number, "uphold", "--file", part, "--text", "a part", "--as", LI)
    assert ruled["state"] == "provisioning"


@pytest.mark.requirement("A3-11")
def test_an_item_goes_out_whole_in_spite_of_its_grade_with_a_reason_only(
    govbus: Call, tmp_path: Path
) -> None:
    packs = ("national-2025", "yanjin-2019", "department-sample")
    adopting = govbus("policy", "adopt", *packs, "--reason", "grades count", "--as", LI)
    assert adopting.code == ExitCode.OK, adopting.err
    number = applied(govbus, tmp_path)
    approve = ("case", "decide", number, "--approve", "--as", WANG)
    refused = answered(govbus, *approve, code=ExitCode.REFUSED)
    assert [(each["code"], each["field"]) for each in refused["problems"]] == [
        ("GRADE_UNMASKED", "masks.name")
    ]
    assert govbus(*approve, "--whole", "name").code == ExitCode.USAGE
    back = ("case", "decide", number, "--return", "--text", "why", "--as", WANG)
    assert govbus(*back, "--whole", "name=because").code == ExitCode.USAGE
    assert answered(govbus, *approve, "--whole", "name=核对本人姓名")["state"] == "provisioning"
    shown = answered(govbus, "case", "show", number, like="case-show")
    assert shown["approval"]["whole"] == shown["events"][2]["whole"] == [["name", "核对本人姓名"]]


def test_who_comes_second_is_told_what_happened_and_a_key_takes_place_once(
    adopted: Call, tmp_path: Path
) -> None:
    number = applied(adopted, tmp_path)
    approve = ("case", "decide", number, "--approve", "--as", WANG)
    first = answered(adopted, *approve, "--key", "k1")
    assert answered(adopted, *approve, "--key", "k1") == first | {"repeated": True}
    late = answered(adopted, *approve, "--seen", "2", code=ExitCode.REFUSED)
    assert late["outcome"] == "overtaken"
    assert [each["action"] for each in late["meanwhile"]] == ["approve", "provision"]
    reused = adopted("case", "submit", number, "--as", CHEN, "--key", "k1")
    assert reused.code == ExitCode.USAGE
    assert "used for something else" in reused.err


def test_every_date_is_explained_by_article(adopted: Call, tmp_path: Path) -> None:
    number = applied(adopted, tmp_path)
    told = answered(adopted, "clock", "explain", number, like="clock-explain")
    (clock,) = told["clocks"]
    assert (clock["rule"], clock["article"], clock["pack"]) == ("5 working days", "三(二)", "yanjin-2019")
    assert [each["pack"] for each in clock["over"]] == ["national-2025"]
    assert clock["begun"]["action"] == "request_decision"
    assert "三(二)" in adopted("clock", "explain", number).out
    assert adopted("clock", "explain", "999").code == ExitCode.NEGATIVE


def test_another_pack_is_simulated(adopted: Call, tmp_path: Path) -> None:
    applied(adopted, tmp_path)
    packs = tmp_path / "packs"
    packs.mkdir()
    (packs / "hasty.yaml").write_text(
        "id: hasty\ntitles: {zh: 快, en: fast}\nlevel: county\nversion: 1\n"
        "standing: sample\neffective_from: null\n"
        "documents: {act: an act}\nvalues:\n  clocks.subscription.provider_reply:\n"
        "    source: {document: act, article: 第一条}\n    stages:\n"
        "      - {name: reply, obliged: provider, starts_on: request_received, working_days: 1}\n",
        encoding="utf-8",
    )
    told = answered(adopted, "policy", "simulate", "hasty", "--packs", packs, like="policy-simulate")
    assert (told["packs"], told["cases"], told["late"]) == (["hasty"], 1, [])
    assert adopted("policy", "simulate", "nothing").code == ExitCode.USAGE


def test_before_a_policy_is_adopted_nothing_is_opened_and_it_is_said_what_to_do(
    govbus: Call, tmp_path: Path
) -> None:
    ended = govbus("case", "apply", file(tmp_path), "--as", CHEN, "--json")
    assert ended.code == ExitCode.REFUSED
    assert [each["code"] for each in ended.answer["problems"]] == ["POLICY_MISSING"]
    assert govbus("policy", "show").code == ExitCode.NEGATIVE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("case", "show", "x"), "neither number nor id"),
        (("case", "apply", "FILE", "--as", "provider:police/wang"), "there is no account"),
        (("policy", "adopt", "national-2025", "--reason", "x", "--as", "nobody"), "there is no account"),
        (("case", "act", "1", "activate", "--as", WANG), "no action activate"),
        (("case", "due", "--from", "nobody"), "nobody is obliged"),
    ],
)
def test_a_wrong_command_line_is_told_with_the_right_one(
    adopted: Call, arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = adopted(*(file(tmp_path) if each == "FILE" else each for each in arguments))
    assert ended.code == ExitCode.USAGE
    assert said in ended.err
    assert "what to do" in ended.err


def test_every_mistake_of_a_form_is_told_at_its_line(adopted: Call, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("applicant: health\nresource: a\nscenario: b\nmode: fax\nitems: [x]\n", encoding="utf-8")
    ended = adopted("case", "apply", path, "--as", CHEN)
    assert ended.code == ExitCode.USAGE
    assert ":4: mode" in ended.err
    for field in ("basis", "start", "end"):
        assert field in ended.err


def test_an_application_may_be_json(adopted: Call, tmp_path: Path) -> None:
    path = file(tmp_path, "application.json")
    assert answered(adopted, "case", "apply", path, "--as", CHEN)["state"] == "draft"
    assert answered(adopted, "case", "submit", "1", "--as", CHEN)["state"] == "deciding"


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("who", "command", "refusal"),
    [
        (CHEN, ("decide", "N", "--approve"), "none of your roles may do this"),
        ("sun", ("decide", "N", "--approve"), "this is another department's"),
        ("zhao", ("decide", "N", "--approve"), "none of your roles may do this"),
        ("qian", ("act", "N", "withdraw"), "this is another department's"),
        (WANG, ("act", "N", "withdraw"), "none of your roles may do this"),
        ("sun", ("suspend", "N", "--reason", "RISK"), "this is another department's"),
        (CHEN, ("suspend", "N", "--reason", "RISK"), "none of your roles may do this"),
        (WANG, ("act", "N", "uphold", "--text", "x"), "none of your roles may do this"),
        ("qian", ("apply", "FILE"), "this is another department's"),
        (LI, ("apply", "FILE"), "none of your roles may do this"),
    ],
)
def test_who_may_not_on_the_page_may_not_on_the_shell(
    adopted: Call,
    tmp_path: Path,
    control_database: ControlDatabase,
    who: str,
    command: tuple[str, ...],
    refusal: str,
) -> None:
    number = applied(adopted, tmp_path)
    with control_database.begin() as connection:
        before = connection.execute(OUTBOX.select()).all()
    given = {"N": number, "FILE": str(file(tmp_path))}
    ended = adopted("case", *(given.get(each, each) for each in command), "--as", who)
    assert ended.code == ExitCode.REFUSED
    assert refusal in ended.err
    assert answered(adopted, "case", "show", number, like="case-show")["state"] == "deciding"
    with control_database.begin() as connection:
        assert connection.execute(OUTBOX.select()).all() == before


@pytest.mark.parametrize("who", [WANG, CHEN, "zhao"])
def test_only_the_authority_binds_cases_to_packs(govbus: Call, who: str) -> None:
    ended = govbus("policy", "adopt", "national-2025", "--reason", "x", "--as", who)
    assert ended.code == ExitCode.REFUSED
    assert govbus("policy", "show").code == ExitCode.NEGATIVE
