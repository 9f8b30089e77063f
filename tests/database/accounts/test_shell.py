"""An account may do on a shell what it may do on a page; the record names it and the machine's user."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import typer

from services.cli import (
    bus,
    conflicts_decide,
    grant,
    grant_acting,
    owing,
    quarantine_worker,
    reveal,
)
from services.cli.acting import acting
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode, run
from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Whose, may_person
from services.control.accounts.roles import Role
from services.control.store.accounts.acts import Order as AccountOrder
from services.control.store.accounts.departments import add_department
from services.control.store.accounts.persons import changed, disable, person_by_login
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.control.suspension.suspend import Order
from services.control.suspension.switch import Verb
from tests.support.memory_bus import MemoryCity
from tests.support.policy import sample_definitions, sample_policy
from tests.support.staff import hire, staffed
from tests.support.web import CONSOLE, DEPARTMENTS, credit_code
from tests.unit.cli.called import NAME, PERSON, STOPPED, Ended
from tests.unit.cli.test_grant_commands import MemoryRunning
from topics.event import ResourceId
from topics.grants.hold import HoldScope

COMMANDS = typer.main.get_command(app)
CANONICAL, DELIVERED = "resource.population.person.v1", "sub.health.population.person.v1.health-persons-gusu"
GRANT = "health-persons-gusu"
Call = Callable[..., Ended]


@pytest.fixture
def database(control_database: ControlDatabase, monkeypatch: pytest.MonkeyPatch) -> ControlDatabase:
    """The tables of accounts, with somebody in each role, as commands open them."""

    @contextmanager
    def open_control() -> Iterator[ControlDatabase]:
        yield control_database

    for module in (grant_acting, owing, quarantine_worker, reveal):
        monkeypatch.setattr(module, "open_control", open_control)
    monkeypatch.setattr(bus, "actor", lambda: "root")
    with control_database.begin() as connection:
        staffed(connection)
    return control_database


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.change("c", after={**PERSON, "id": 2, "id_number": None})
    found.pump()
    return found


@pytest.fixture
def govbus(
    city: MemoryCity,
    database: ControlDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    @contextmanager
    def open_bus(timeout_s: float = 0) -> Iterator[bus.Bus]:
        yield bus.Bus(city.lookup, city)

    monkeypatch.setattr(bus, "open_bus", open_bus)

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


def owed(database: ControlDatabase) -> list[tuple[str, str, str, Any]]:
    """What the ledger is owed by whoever was at the machine: who, what, on which object, for whom."""
    with database.begin() as connection:
        rows = connection.execute(OUTBOX.select().where(OUTBOX.c.who == "console:root").order_by(OUTBOX.c.id))
        return [(row.who, row.what, row.object, row.facts.get("for")) for row in rows]


def id_of(database: ControlDatabase, login: str) -> str:
    with database.begin() as connection:
        found = person_by_login(connection, login)
    assert found is not None
    return str(found.id)


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize("login", ["wang", "chen", "qian", "sun", "li", "zhao"])
@pytest.mark.parametrize(
    "whose", [Whose("police", "health"), Whose("data_bureau"), Whose(consumer="archives"), Whose()]
)
def test_the_shell_decides_every_action_as_a_page_does(
    database: ControlDatabase, login: str, whose: Whose
) -> None:
    with database.begin() as connection:
        person = person_by_login(connection, login)
        assert person is not None
        for action in Action:
            page = may_person(person.principal(), action, whose)
            if isinstance(page, Allowed):
                assert acting(connection, login, action, whose).role is page.role, action
                continue
            with pytest.raises(CommandFailed) as told:
                acting(connection, login, action, whose)
            assert told.value.code is ExitCode.REFUSED, action


@pytest.mark.parametrize(
    ("login", "code"), [("nobody", ExitCode.USAGE), ("", ExitCode.USAGE), ("wang ", None), ("WANG", None)]
)
def test_an_account_is_named_by_its_login_as_at_the_login_page(
    database: ControlDatabase, login: str, code: ExitCode | None
) -> None:
    with database.begin() as connection:
        if code is None:
            assert acting(connection, login, Action.CATALOGUE_OPEN).role is Role.PROVIDER
            return
        with pytest.raises(CommandFailed) as told:
            acting(connection, login, Action.CATALOGUE_OPEN)
        assert told.value.code is code


def test_who_is_switched_off_or_has_to_change_the_first_password_acts_nowhere(
    database: ControlDatabase,
) -> None:
    order = AccountOrder("console:test", datetime.now(UTC))
    with database.begin() as connection:
        for login, change in (("wang", disable), ("chen", _must_change)):
            person = person_by_login(connection, login)
            assert person is not None
            change(connection, person.id, order)
        for login, why in (("wang", "switched off"), ("chen", "change your password first")):
            with pytest.raises(CommandFailed, match=why):
                acting(connection, login, Action.CASE_LOOK)


def _must_change(connection: Any, person: Any, order: AccountOrder) -> None:
    changed(connection, person, order, must_change_password=True)


@pytest.mark.parametrize("name", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_the_machines_user_is_who_the_process_runs_as_whatever_the_environment_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bus.console_account()
    monkeypatch.setenv(name, "somebody-else")
    assert bus.console_account() == before
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert bus.console_account() == "console:uid-4000000"


@pytest.mark.requirement("A11-02", "A5-01")
@pytest.mark.parametrize(
    ("login", "may"), [("li", True), ("wang", False), ("chen", False), ("zhao", False), ("gao", False)]
)
def test_an_item_is_ruled_on_by_the_authority_never_of_the_claimants_department(
    database: ControlDatabase, login: str, may: bool
) -> None:
    claimant = ResourceId("social.enrolment.v1")
    with database.begin() as connection:
        add_department(
            connection,
            replace(DEPARTMENTS[0], id="social_security", credit_code=credit_code("01409017")),
            CONSOLE,
        )
        hire(connection, "gao", "social_security", Role.AUTHORITY)
    if may:
        who = conflicts_decide.ruler(database, sample_definitions(), claimant, login)
        assert (who.actor.department, who.console) == ("data_bureau", "console:root")
        return
    with pytest.raises(CommandFailed) as told:
        conflicts_decide.ruler(database, sample_definitions(), claimant, login)
    assert told.value.code is ExitCode.REFUSED


SHOW = ("quarantine", "show", STOPPED)
TAIL = ("tail", CANONICAL, "-o", "beginning", "-e")
TAIL_GRANT = ("tail", DELIVERED, "-o", "beginning", "-e")


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("login", "command", "action", "of"),
    [
        ("wang", SHOW, "quarantine.reveal", STOPPED),
        ("wang", TAIL, "data.reveal", CANONICAL),
        ("wang", TAIL_GRANT, "data.reveal", DELIVERED),
        ("chen", TAIL_GRANT, "data.reveal", DELIVERED),
    ],
)
def test_an_account_sees_the_values_that_are_its_departments_with_a_record_in_both_places(
    govbus: Call,
    city: MemoryCity,
    database: ControlDatabase,
    login: str,
    command: tuple[str, ...],
    action: str,
    of: str,
) -> None:
    ended = govbus(*command, "--reveal", "--why", "case 7", "--as", login, "--json")
    assert ended.code == ExitCode.OK, ended.err
    assert ended.out
    account = id_of(database, login)
    [note] = city.written
    assert dict(note.headers)["govbus_actor"] == account.encode()
    assert owed(database) == [("console:root", action, of, account)]


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("command", "action", "of"),
    [(SHOW, "quarantine.reveal", STOPPED), (TAIL, "data.reveal", CANONICAL)],
)
def test_what_the_machines_user_looks_at_stands_in_both_places_too(
    govbus: Call, city: MemoryCity, database: ControlDatabase, command: tuple[str, ...], action: str, of: str
) -> None:
    ended = govbus(*command, "--reveal", "--why", "case 7", "--json")
    assert ended.code == ExitCode.OK, ended.err
    assert dict(city.written[0].headers)["govbus_actor"] == b"console:root"
    assert owed(database) == [("console:root", action, of, None)]


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("login", "command"),
    [
        *((login, SHOW) for login in ("sun", "chen", "li", "zhao", "nobody")),
        *((login, TAIL) for login in ("sun", "chen", "li", "zhao", "nobody")),
        *((login, TAIL_GRANT) for login in ("sun", "qian", "li", "zhao")),
    ],
)
def test_nobody_else_sees_values_and_nothing_is_recorded_as_seen(
    govbus: Call, city: MemoryCity, database: ControlDatabase, login: str, command: tuple[str, ...]
) -> None:
    ended = govbus(*command, "--reveal", "--why", "case 7", "--as", login)
    assert ended.code == (ExitCode.USAGE if login == "nobody" else ExitCode.REFUSED)
    assert NAME not in ended.out
    assert (city.written, owed(database)) == ([], [])


@pytest.mark.parametrize(
    ("login", "command", "allowed"),
    [
        ("wang", "discard", True),
        ("zhao", "discard", False),
        ("sun", "discard", False),
        ("chen", "discard", False),
        ("sun", "release", False),
        ("li", "release", False),
    ],
)
def test_who_works_on_stopped_events_is_asked_for_at_each_provider(
    govbus: Call, city: MemoryCity, database: ControlDatabase, login: str, command: str, allowed: bool
) -> None:
    tried = govbus("quarantine", command, STOPPED, "--dry-run", "--as", login)
    assert (tried.code == ExitCode.OK) is allowed, tried.err
    assert (city.written, owed(database)) == ([], [])
    ended = govbus("quarantine", command, STOPPED, "--why", "a test row", "--as", login, "--json")
    assert (ended.code == ExitCode.OK) is allowed, ended.err
    if not allowed:
        assert (ended.code, city.written, owed(database)) == (ExitCode.REFUSED, [], [])
        return
    account = id_of(database, login)
    assert ended.answer["events"][0]["outcome"] == "discarded"
    assert dict(city.written[0].headers)["govbus_actor"] == account.encode()
    assert owed(database) == [("console:root", "quarantine.discard", "police", account)]


def test_what_the_machines_user_does_with_stopped_events_is_owed_to_the_ledger_too(
    govbus: Call, city: MemoryCity, database: ControlDatabase
) -> None:
    assert govbus("quarantine", "discard", STOPPED, "--dry-run").code == ExitCode.OK
    assert (city.written, owed(database)) == ([], [])
    ended = govbus("quarantine", "discard", STOPPED, "--why", "a test row", "--json")
    assert ended.code == ExitCode.OK, ended.err
    assert dict(city.written[0].headers)["govbus_actor"] == b"console:root"
    assert owed(database) == [("console:root", "quarantine.discard", "police", None)]


def test_without_the_database_the_machines_user_works_on_and_is_told_that_the_ledger_has_nothing(
    govbus: Call, city: MemoryCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed() -> ControlDatabase:
        raise CommandFailed(ExitCode.UNAVAILABLE, "the database does not answer", "", "")

    monkeypatch.setattr(owing, "open_control", closed)
    ended = govbus("quarantine", "discard", STOPPED, "--why", "a test row")
    assert ended.code == ExitCode.OK, ended.err
    assert "quarantine.discard is not in the ledger" in ended.err
    assert len(city.written) == 1


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("login", "verb", "scope", "name", "role"),
    [
        ("wang", Verb.SUSPEND, HoldScope.GRANT, GRANT, "provider"),
        ("li", Verb.SUSPEND, HoldScope.GRANT, GRANT, "authority"),
        ("li", Verb.SUSPEND, HoldScope.CONSUMER, "health", "authority"),
        ("wang", Verb.SUSPEND, HoldScope.RESOURCE, "population.person.v1", "provider"),
        ("li", Verb.SUSPEND, HoldScope.ALL, "", "authority"),
        ("zhao", Verb.SUSPEND, HoldScope.ALL, "", "operator"),
        ("li", Verb.RESUME, HoldScope.GRANT, GRANT, "authority"),
        ("sun", Verb.SUSPEND, HoldScope.GRANT, GRANT, None),
        ("chen", Verb.SUSPEND, HoldScope.GRANT, GRANT, None),
        ("zhao", Verb.SUSPEND, HoldScope.GRANT, GRANT, None),
        ("wang", Verb.SUSPEND, HoldScope.CONSUMER, "health", None),
        ("wang", Verb.SUSPEND, HoldScope.ALL, "", None),
        ("sun", Verb.SUSPEND, HoldScope.RESOURCE, "population.person.v1", None),
        ("wang", Verb.RESUME, HoldScope.GRANT, GRANT, None),
        ("zhao", Verb.RESUME, HoldScope.ALL, "", None),
        ("li", Verb.SUSPEND, HoldScope.GRANT, "nothing", None),
    ],
)
def test_an_order_of_the_kill_switch_is_given_by_who_may_and_owed_before_it_begins(
    database: ControlDatabase, login: str, verb: Verb, scope: HoldScope, name: str, role: str | None
) -> None:
    order, policy = Order(scope, name, "console:root", "breach"), sample_policy()
    if role is None:
        with pytest.raises(CommandFailed) as told:
            grant_acting.ordered_as(login, order, verb, policy, "s-1")
        assert told.value.code in (ExitCode.REFUSED, ExitCode.USAGE)
        assert owed(database) == []
        return
    given = grant_acting.ordered_as(login, order, verb, policy, "s-1")
    account = id_of(database, login)
    assert (given.by, given.standing.person, given.standing.role) == ("console:root", account, role)
    what = "kill.resume" if verb is Verb.RESUME else f"kill.{scope.value}"
    assert owed(database) == [("console:root", what, name or "all", account)]


def test_the_receipt_of_an_order_in_an_accounts_name_is_found_by_the_act_that_was_owed_first(
    database: ControlDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = MemoryRunning()
    monkeypatch.setattr(grant, "Running", running)
    suspend = ["grant", "suspend", GRANT, "--reason", "breach", "--yes", GRANT, "--json"]
    assert run(lambda: COMMANDS([*suspend, "--as", "sun"])) == ExitCode.REFUSED
    assert (running.bus.calls, owed(database)) == ([], [])
    assert run(lambda: COMMANDS([*suspend, "--as", "wang"])) == ExitCode.OK
    receipt = Ended(0, *capsys.readouterr()).answer
    assert receipt["by"] == "console:root"
    with database.begin() as connection:
        [act] = connection.execute(OUTBOX.select().where(OUTBOX.c.what == "kill.grant"))
    assert (act.facts["work"], act.facts["for"]) == (receipt["id"], id_of(database, "wang"))


def test_the_kill_switch_without_an_account_needs_no_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = MemoryRunning()
    monkeypatch.setattr(grant, "Running", running)
    monkeypatch.setattr(bus, "actor", lambda: "root")
    monkeypatch.setenv("GOVBUS_HOME", "/nowhere")
    suspend = ["grant", "suspend", GRANT, "--reason", "breach", "--yes", GRANT, "--json"]
    assert run(lambda: COMMANDS(suspend)) == ExitCode.OK
    assert Ended(0, *capsys.readouterr()).answer["by"] == "console:root"
    assert run(lambda: COMMANDS([*suspend, "--as", "wang"])) == ExitCode.UNAVAILABLE
