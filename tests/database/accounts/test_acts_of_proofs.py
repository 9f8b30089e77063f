"""Full volumes, comparisons and evidence are ordered by who may, and the ledger is owed who did it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from services.cli import bus, evidence, owing, reconcile, snapshot
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode, run
from services.control.accounts.roles import Role
from services.control.epochs.acts import Step, What
from services.control.epochs.run import Ended as EpochEnded
from services.control.epochs.state import EpochState, Newest
from services.control.evidence.on_stack import Exported
from services.control.store.accounts.acts import Order
from services.control.store.accounts.persons import person_by_login
from services.control.store.accounts.roles import set_oversight
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.control.store.reconciliations.proofs import digest_of, last_proofs
from tests.support.policy import sample_policy
from tests.support.staff import hire, staffed
from tests.support.volumes import proof
from tests.unit.cli.called import Ended, shape
from topics.event import ResourceId

COMMANDS = typer.main.get_command(app)
PERSONS = ResourceId("population.person.v1")
CONTENT = b"a bundle"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
Call = Callable[..., Ended]


@pytest.fixture
def database(
    control_database: ControlDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> ControlDatabase:
    """Somebody in each role; a stack of which every part runs."""

    @contextmanager
    def open_control() -> Iterator[ControlDatabase]:
        yield control_database

    for module in (owing, evidence, reconcile):
        monkeypatch.setattr(module, "open_control", open_control)
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path))
    for module in (bus, evidence):
        monkeypatch.setattr(module, "require", lambda *_: None)
    for module in (snapshot, evidence):
        monkeypatch.setattr(module, "current_policy", lambda _: sample_policy())
    monkeypatch.setattr(snapshot, "access_of", lambda _: None)
    monkeypatch.setattr(snapshot, "start_epoch", started)
    monkeypatch.setattr(snapshot, "abort_epoch", aborted)
    monkeypatch.setattr(evidence, "export", lambda _stack, asked, *_: Exported(CONTENT, asked))
    receipts = SimpleNamespace(of_record=lambda *_, **__: CONTENT, of_delivery=lambda *_: CONTENT)
    monkeypatch.setattr(evidence, "open_receipts", lambda *_: nullcontext(receipts))
    monkeypatch.setattr(bus, "actor", lambda: "root")
    with control_database.begin() as connection:
        staffed(connection)
        hire(connection, "bao", "data_bureau", Role.AUDITOR)
    return control_database


def started(*_: Any, by: str, owe: Any, **__: Any) -> EpochEnded:
    assert by
    owe(Step(What.CONFIRMED, PERSONS, 3, "a lost slot", {"unseen": 2, "candidates": 3}))
    owe(Step(What.ENDED, PERSONS, 3, "a lost slot", {"records": 1, "digest": "ab"}))
    return EpochEnded(PERSONS, 3, 1, 1, 3, 2, 1, "ab")


def aborted(*_: Any, owe: Any, **__: Any) -> Newest:
    owe(Step(What.ABORTED, PERSONS, 3, "a lost slot"))
    return Newest(3, EpochState.ABORTED)


@pytest.fixture
def govbus(database: ControlDatabase, capsys: pytest.CaptureFixture[str]) -> Call:
    assert database

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


def owed(database: ControlDatabase) -> list[Any]:
    with database.reading() as connection:
        return list(
            connection.execute(OUTBOX.select().where(OUTBOX.c.who == "console:root").order_by(OUTBOX.c.id))
        )


def id_of(database: ControlDatabase, login: str) -> str:
    with database.begin() as connection:
        found = person_by_login(connection, login)
    assert found is not None
    return str(found.id)


START = ("snapshot", "start", PERSONS, "--confirm-shrink")
ABORT = ("snapshot", "abort", PERSONS)
EXPORT = ("evidence", "export", "--last", "1h")
DELIVERY = ("evidence", "receipt", "--grant", "health-persons-gusu", "--offset", "4")
RECORD = ("evidence", "receipt", "--record", "raw.police.public.person:0:17")


@pytest.mark.requirement("A11-01")
@pytest.mark.parametrize(
    ("command", "may"),
    [
        (START, {"wang", "zhao"}),
        (ABORT, {"wang", "zhao"}),
        (EXPORT, {"bao"}),
        (DELIVERY, {"wang", "chen", "bao"}),
        (RECORD, {"wang", "bao"}),
    ],
)
def test_who_may_orders_and_the_ledger_names_the_account(
    govbus: Call, database: ControlDatabase, tmp_path: Path, command: tuple[str, ...], may: set[str]
) -> None:
    file = tmp_path / "out.tar"
    more = ["-o", str(file)] if command[0] == "evidence" else []
    for login in ("wang", "chen", "qian", "bao", "sun", "li", "zhao"):
        before = len(owed(database))
        ended = govbus(*command, *more, "--as", login)
        allowed = login in may
        assert ended.code == (ExitCode.OK if allowed else ExitCode.REFUSED), (login, ended.err)
        new = owed(database)[before:]
        assert bool(new) is allowed
        assert file.exists() is (allowed and bool(more))
        assert {act.facts["for"] for act in new} == ({id_of(database, login)} if allowed else set())
        file.unlink(missing_ok=True)


def test_who_confirmed_a_removal_and_what_stood_at_the_end_are_owed_in_their_order(
    govbus: Call, database: ControlDatabase
) -> None:
    assert govbus(*START).code == ExitCode.OK
    assert govbus(*ABORT).code == ExitCode.OK
    acts = [(act.what, act.kind, act.object, act.reason, act.facts) for act in owed(database)]
    asked = ("resource", PERSONS, "a lost slot")
    assert acts == [
        ("snapshot.confirmed", *asked, {"number": 3, "unseen": 2, "candidates": 3}),
        ("snapshot.ended", *asked, {"number": 3, "records": 1, "digest": "ab"}),
        ("snapshot.aborted", *asked, {"number": 3}),
    ]


def test_an_overseer_of_the_provider_does_not_learn_every_recipient(
    govbus: Call, database: ControlDatabase, tmp_path: Path
) -> None:
    with database.begin() as connection:
        zhou = hire(connection, "zhou", "data_bureau", Role.OVERSEER)
        set_oversight(connection, zhou.id, {"police"}, Order("console:test", datetime.now(UTC)))
    ended = govbus(*RECORD, "-o", str(tmp_path / "out.tar"), "--as", "zhou")
    assert (ended.code, owed(database)) == (ExitCode.REFUSED, [])
    assert "may not know every recipient" in ended.err


@pytest.mark.parametrize(
    ("command", "what", "facts"),
    [
        (EXPORT, "evidence.exported", {"from_ms", "to_ms"}),
        (DELIVERY, "evidence.receipt", {"of", "withdrawn", "open"}),
        (RECORD, "evidence.receipt", {"of", "withdrawn", "open"}),
    ],
)
def test_what_is_handed_out_is_named_by_its_digest(
    govbus: Call,
    database: ControlDatabase,
    tmp_path: Path,
    command: tuple[str, ...],
    what: str,
    facts: set[str],
) -> None:
    assert govbus(*command, "-o", str(tmp_path / "out.tar")).code == ExitCode.OK
    [act] = owed(database)
    assert (act.what, act.kind, act.object) == (what, "evidence", DIGEST)
    assert set(act.facts) == facts


def test_a_removal_is_not_confirmed_where_the_ledger_cannot_be_owed_it(
    govbus: Call, database: ControlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def away() -> Iterator[ControlDatabase]:
        raise CommandFailed(ExitCode.UNAVAILABLE, "there is no database of the control plane", "", "")
        yield

    monkeypatch.setattr(owing, "open_control", away)
    assert govbus(*START).code == ExitCode.UNAVAILABLE
    given_up = govbus(*ABORT)
    assert (given_up.code, "snapshot.aborted is not in the ledger" in given_up.err) == (ExitCode.OK, True)
    assert owed(database) == []


@pytest.mark.requirement("A11-01")
def test_a_comparison_is_owed_with_the_digest_of_what_is_kept(
    govbus: Call, database: ControlDatabase
) -> None:
    who = owing.Who("console:root", "7", {"for": "7"})
    reconcile._keep(proof({"lost": 2}), who, "asked for by the auditor")
    [act] = owed(database)
    assert (act.what, act.object, act.reason) == ("reconcile.proof", PERSONS, "asked for by the auditor")
    with database.reading() as connection:
        kept = last_proofs(connection)[PERSONS]
    assert act.facts["digest"] == digest_of(kept)
    assert (act.facts["same"], act.facts["differences"], act.facts["for"]) == (False, 2, "7")
    last = govbus("reconcile", "--last", "--json").answer
    assert last["proofs"][0]["digest"] == act.facts["digest"]
    assert list(shape("reconcile").iter_errors(last)) == []
