"""`govbus account …` on a real database: answers of the documented shapes, first passwords printed once."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer
from sqlalchemy import select

from services.cli import account, account_token, bus
from services.cli.main import app
from services.cli.output import run
from services.control.notices.words import Channel, Language
from services.control.signing_in.local import Denied, LoggedIn, Try
from services.control.store.accounts import persons
from services.control.store.database import ControlDatabase
from services.control.store.notices import addresses, deliveries
from services.control.store.notices.tables import NOTICE_EVENTS, NOTICE_INBOX, Way
from services.control.store.outbox import acts_on
from tests.database.accounts.city import NOW, logins
from tests.unit.cli.called import Ended, Govbus, shape

COMMANDS = typer.main.get_command(app)
POLICE = [
    *("account", "department", "police", "--zh", "公安局", "--en", "Police"),
    *("--credit-code", "113205000140832149", "--head", "周建国 0512-101"),
    *("--deputy", "吴敏 0512-102", "--clerk", "郑晓 0512-103"),
]
WANG = ["account", "add", "wang.li", "--name", "王丽", "--department", "police"]


@pytest.fixture
def govbus(
    control_database: ControlDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Govbus:
    @contextmanager
    def opened() -> Iterator[ControlDatabase]:
        yield control_database

    for module in (account, account_token):
        monkeypatch.setattr(module, "open_control", opened)
    monkeypatch.setattr(bus, "actor", lambda: "zhao min")

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


def fits(name: str, ended: Ended) -> None:
    assert ended.code == 0, ended.err
    assert list(shape(name).iter_errors(ended.answer)) == []


def test_a_department_is_added_and_then_corrected(govbus: Govbus) -> None:
    fits("account-departments", govbus(*POLICE, "--json"))
    fits("account-departments", govbus(*POLICE, "--clerk", "李然 0512-203", "--json"))
    listed = govbus("account", "departments", "--json")
    fits("account-departments", listed)
    (found,) = listed.answer["departments"]
    assert (found["zh"], found["clerk"]) == ("公安局", {"name": "李然", "phone": "0512-203"})


def test_a_department_without_a_person_is_refused_with_what_to_do(govbus: Govbus) -> None:
    ended = govbus(*POLICE, "--head", "", "--json")
    assert ended.code == 4
    assert "第一责任人" in ended.err
    assert govbus("account", "departments", "--json").answer == {"departments": []}


def test_a_new_account_logs_in_with_the_password_that_was_printed_once(
    govbus: Govbus, control_database: ControlDatabase
) -> None:
    govbus(*POLICE)
    added = govbus(*WANG, "--role", "provider", "--role", "consumer", "--json")
    fits("account-add", added)
    found = logins(control_database).log_in(Try("wang.li", added.answer["password"], None, NOW))
    assert isinstance(found, LoggedIn)
    assert found.person.must_change_password
    listed = govbus("account", "list", "--json")
    fits("account-list", listed)
    assert added.answer["password"] not in listed.out
    assert listed.answer["accounts"][0]["roles"] == ["consumer", "provider"]
    with control_database.begin() as connection:
        who = {act.who for act in acts_on(connection, "account", added.answer["id"])}
    assert who == {"console:zhao_min", added.answer["id"]}


def test_a_table_shows_the_password_too(govbus: Govbus) -> None:
    govbus(*POLICE)
    ended = govbus(*WANG)
    assert ended.code == 0
    assert "First password" in ended.out
    assert "must be changed" in ended.err


def test_roles_of_two_duties_are_refused_and_nothing_is_added(
    govbus: Govbus, control_database: ControlDatabase
) -> None:
    govbus(*POLICE)
    ended = govbus(*WANG, "--role", "authority", "--role", "auditor", "--json")
    assert ended.code == 4
    assert "duty" in ended.err
    with control_database.begin() as connection:
        assert persons.people(connection) == []


def test_roles_are_taken_before_they_are_given(govbus: Govbus) -> None:
    govbus(*POLICE)
    govbus(*WANG, "--role", "provider")
    assert govbus("account", "role", "wang.li", "--give", "overseer", "--json").code == 4
    changed = govbus(
        *("account", "role", "wang.li", "--take", "provider", "--give", "overseer"),
        *("--oversee", "*", "--why", "new post", "--json"),
    )
    fits("account-list", changed)
    assert changed.answer["accounts"][0]["roles"] == ["overseer"]
    assert changed.answer["accounts"][0]["oversees"] == ["*"]
    assert govbus("account", "role", "wang.li").code == 2


def test_a_reset_password_replaces_the_old_one(govbus: Govbus, control_database: ControlDatabase) -> None:
    govbus(*POLICE)
    first = govbus(*WANG, "--role", "consumer", "--json").answer["password"]
    reset = govbus("account", "reset-password", "wang.li", "--json")
    fits("account-add", reset)
    assert isinstance(logins(control_database).log_in(Try("wang.li", first, None, NOW)), Denied)
    again = logins(control_database).log_in(Try("wang.li", reset.answer["password"], None, NOW))
    assert isinstance(again, LoggedIn)


def test_the_department_of_an_account_hears_that_its_password_was_reset_and_not_of_the_first_one(
    govbus: Govbus, control_database: ControlDatabase
) -> None:
    govbus(*POLICE)
    govbus(*WANG, "--role", "consumer")

    def told() -> list[tuple[str, str]]:
        with control_database.begin() as connection:
            wanted = select(NOTICE_EVENTS.c.kind, NOTICE_INBOX.c.department, NOTICE_EVENTS.c.facts)
            joined = wanted.join(NOTICE_INBOX, NOTICE_INBOX.c.event_id == NOTICE_EVENTS.c.id)
            rows = connection.execute(joined).all()
            assert "wang.li" not in str(rows)
            return [(row.kind, row.department) for row in rows]

    assert told() == []
    govbus("account", "reset-password", "wang.li")
    assert told() == [("account.password_reset", "police")]


def test_the_owner_of_an_account_hears_of_each_reset_in_the_accounts_own_mailbox(
    govbus: Govbus, control_database: ControlDatabase
) -> None:
    own, office = "wang.li@police.example.cn", "office@police.example.cn"
    govbus(*POLICE)
    with control_database.begin() as connection:
        addresses.add(connection, "police", Way.EMAIL, office, Language.EN, who="somebody", now=NOW)
    assert govbus(*WANG, "--role", "consumer", "--email", own).code == 0
    with control_database.reading() as connection:
        assert deliveries.listed(connection) == []
    for _ in range(2):
        assert govbus("account", "reset-password", "wang.li").code == 0
    with control_database.reading() as connection:
        letters = deliveries.listed(connection)
        known = addresses.of_department(connection, "police")
    assert sorted((each.target, each.channel) for each in letters) == [
        *[(office, Channel.EMAIL)] * 2,
        *[(own, Channel.EMAIL)] * 2,
    ]
    assert {each.kind for each in letters} == {"account.password_reset"}
    assert [each.target for each in known] == [office]


def test_an_account_is_switched_off_and_on(govbus: Govbus) -> None:
    govbus(*POLICE)
    govbus(*WANG)
    off = govbus("account", "disable", "wang.li", "--why", "left the office", "--json")
    fits("account-list", off)
    assert not off.answer["accounts"][0]["active"]
    assert govbus("account", "enable", "wang.li", "--json").answer["accounts"][0]["active"]


def test_a_token_is_made_listed_and_revoked(govbus: Govbus) -> None:
    govbus(*POLICE)
    govbus(*WANG, "--role", "consumer")
    wish = ("account", "token", "create", "wang.li", "--name", "export", "--days", "30", "--json")
    assert govbus(*wish, "--scope", "everything").code == 4
    made = govbus(*wish, "--scope", "catalogue:look")
    fits("account-token-create", made)
    listed = govbus("account", "token", "list", "wang.li", "--json")
    fits("account-token-list", listed)
    assert made.answer["token"] not in listed.out
    assert listed.answer["tokens"][0]["prefix"] == made.answer["prefix"]
    fits("account-token-revoke", govbus("account", "token", "revoke", made.answer["prefix"], "--json"))
    assert govbus("account", "token", "revoke", made.answer["prefix"], "--json").code == 1


def test_who_is_unknown_is_said(govbus: Govbus) -> None:
    for command in (["disable"], ["enable"], ["reset-password"], ["role", "--give", "operator"]):
        ended = govbus("account", command[0], "nobody", *command[1:], "--json")
        assert ended.code == 2
        assert "no account nobody" in ended.err


def test_the_matrix_is_printed_in_both_languages(govbus: Govbus) -> None:
    answer = govbus("account", "permissions", "--json")
    fits("account-permissions", answer)
    (approve,) = [each for each in answer.answer["permissions"] if each["action"] == "case.approve"]
    assert (approve["zh"], approve["en"], approve["scope"]) == ("同意", "approve", "case:change")
    assert approve["reach"]["provider"] == "own"
    assert approve["reach"]["authority"] == "other"
    shown = govbus("account", "permissions")
    assert "本部门 own" in shown.out
    assert "主管部门 authority" in shown.out
