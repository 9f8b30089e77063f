"""`govbus grant …`: what is asked of a person before anything is stopped, and the shapes of the answers."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from services.cli import grant as command
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.suspension.acts import Act
from services.control.suspension.suspend import Suspend
from tests.support.suspending import HEALTH, ORDER, Killed, MemoryBus, MemoryJournal, suspending
from tests.unit.cli.called import Ended, shape
from topics.policy import Policy

SUSPEND = ["grant", "suspend", HEALTH, "--reason", "breach"]
Call = Callable[..., Ended]


class MemoryRunning:
    """The running bus, in memory."""

    def __init__(self) -> None:
        self.bus, self.journal = MemoryBus(), MemoryJournal()

    def open(self) -> "MemoryRunning":
        return self

    def policy(self) -> Policy:
        return self.bus.now

    def suspend(self) -> Suspend:
        return suspending(self.bus, self.journal)

    def acts(self) -> list[Act]:
        return list(self.bus.acts.values())


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> MemoryRunning:
    found = MemoryRunning()
    monkeypatch.setattr(command, "Running", found)
    return found


@pytest.fixture
def govbus(running: MemoryRunning, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: str) -> Ended:
        code = run(lambda: app(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["grant", "suspend", HEALTH, "--yes", HEALTH], "reason"),
        (["grant", "suspend", HEALTH, "--reason", "  ", "--yes", HEALTH], "reason"),
        (["grant", "suspend", HEALTH, "--reason", "x" * 501, "--yes", HEALTH], "too long"),
        (["grant", "suspend", "--reason", "breach", "--yes", "all"], "one thing"),
        ([*SUSPEND, "--all", "--yes", "all"], "one thing"),
        ([*SUSPEND, "--consumer", "health", "--yes", HEALTH], "one thing"),
        ([*SUSPEND, "--yes", "health-persons"], "nothing was done"),
        (["grant", "suspend", "--all", "--reason", "breach", "--yes", ""], "nothing was done"),
        (SUSPEND, f"--yes {HEALTH}"),
        (["grant", "resume", HEALTH, "--reason", "settled"], f"--yes {HEALTH}"),
    ],
)
def test_nothing_is_stopped_without_a_reason_and_the_name_of_one_thing(
    govbus: Call, running: MemoryRunning, arguments: list[str], told: str
) -> None:
    ended = govbus(*arguments)
    assert ended.code == ExitCode.USAGE
    assert told in " ".join(ended.err.split())
    assert running.bus.calls == []


def test_a_person_is_asked_for_the_name(
    govbus: Call, running: MemoryRunning, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = ["health", HEALTH]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: answers.pop(0))
    assert govbus(*SUSPEND).code == ExitCode.USAGE
    assert running.bus.calls == []
    assert govbus(*SUSPEND).code == ExitCode.OK
    assert [hold.name for hold in running.bus.now.holds.values()] == [HEALTH]


def test_suspending_answers_with_the_receipt_that_the_ledger_keeps(govbus: Call) -> None:
    ended = govbus(*SUSPEND, "--yes", HEALTH, "--json")
    assert ended.code == ExitCode.OK, ended.err
    shape("grant-receipt").validate(ended.answer)
    again = govbus("grant", "receipt", ended.answer["id"], "--json")
    assert again.answer == ended.answer
    shown = govbus("grant", "receipt", ended.answer["id"]).out
    assert "breach" in shown
    assert HEALTH in shown


def test_an_unknown_name_is_told_with_those_that_there_are(govbus: Call) -> None:
    ended = govbus("grant", "suspend", "nobody", "--reason", "x", "--yes", "nobody")
    assert ended.code == ExitCode.USAGE
    assert HEALTH in ended.err


def test_a_receipt_of_an_interrupted_suspension_is_pending_and_of_none_is_unknown(
    govbus: Call, running: MemoryRunning
) -> None:
    running.bus.kill_at = 4
    with pytest.raises(Killed):
        running.suspend().order(ORDER, "s-1")
    assert govbus("grant", "receipt", "s-1").code == ExitCode.PENDING
    assert govbus("grant", "receipt", "s-2").code == ExitCode.USAGE


def test_a_further_suspension_finishes_what_was_interrupted(govbus: Call, running: MemoryRunning) -> None:
    running.bus.kill_at = 4
    with pytest.raises(Killed):
        running.suspend().order(ORDER, "s-1")
    ended = govbus("grant", "suspend", "--consumer", "tax", "--reason", "y", "--yes", "tax", "--json")
    assert ended.code == ExitCode.OK
    assert ended.answer["name"] == "tax"
    assert set(running.bus.acts) == {"s-1", ended.answer["id"]}


def test_list_and_show_name_state_and_what_holds(govbus: Call, running: MemoryRunning) -> None:
    running.suspend().order(ORDER, "s-1")
    listed = govbus("grant", "list", "--json").answer
    shape("grant-list").validate(listed)
    assert {row["grant"]: row["holds"] for row in listed["grants"]}[HEALTH] == ["s-1"]
    only = govbus("grant", "list", "--consumer", "health", "--json").answer
    assert [row["grant"] for row in only["grants"]] == [HEALTH]
    shown = govbus("grant", "show", HEALTH, "--json").answer
    shape("grant-show").validate(shown)
    assert (shown["state"], shown["holds"][0]["reason"]) == ("suspended", ORDER.reason)
    assert "suspended" in govbus("grant", "list").out
    assert govbus("grant", "list", "--consumer", "nobody").code == ExitCode.USAGE
    assert govbus("grant", "show", "nobody").code == ExitCode.USAGE


def test_the_shape_of_a_resumption_is_a_schema() -> None:
    from services.control.suspension.resumption import Resumption
    from topics.grants.hold import HoldScope

    done = Resumption("r-1", "s-1", HoldScope.ALL, "", "op", "settled", 5).as_json()
    shape("grant-resume").validate(done)
    with pytest.raises(jsonschema.ValidationError):
        shape("grant-resume").validate({**done, "more": 1})
