"""`govbus` about a stack that does not run, or never did: each command says so, and how to go on."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.cli import expected
from services.cli import stack as command
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.store.migrate import Schema, Standing
from services.control.store.prepare import Prepared
from services.stack.api import ComponentStatus, Stack, State
from services.stack.errors import ChooseAnotherPort, PolicyUnread
from services.stack.settings import StackSettings
from tests.unit.cli.called import shape


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "govbus"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "govbus"


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "raw.police.public.person:0:17"],
        ["audit", "balance"],
        ["tail", "policy"],
        ["quarantine", "list"],
        ["claims", "list"],
        ["conflicts", "list"],
        ["plan"],
        ["apply"],
        ["run", "gate"],
        ["run", "fanout"],
    ],
)
def test_what_needs_a_running_stack_says_so_and_how_to_start_it(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(lambda: app(arguments)) == ExitCode.UNAVAILABLE
    told = capsys.readouterr()
    assert told.out == ""
    assert "not run" in told.err
    assert "govbus up" in told.err
    assert not home.exists()


def test_status_down_and_logs_of_a_stack_that_never_ran(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: app(["status"])) == ExitCode.NEGATIVE
    assert "govbus up" in capsys.readouterr().out
    for form in (["--json"], ["-o", "json"]):
        assert run(lambda form=form: app(["status", *form])) == ExitCode.NEGATIVE  # type: ignore[misc]
        answer = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (answer["healthy"], {part["state"] for part in answer["components"]}) == (False, {"stopped"})
    assert run(lambda: app(["down"])) == ExitCode.OK
    assert "Nothing was running" in capsys.readouterr().err
    assert run(lambda: app(["logs", "kafka"])) == ExitCode.UNAVAILABLE
    assert "govbus up" in capsys.readouterr().err


def test_logs_of_something_else_names_the_logs_that_there_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "logs").mkdir(parents=True)
    for name in ("kafka", "gate.0"):
        (home / "logs" / f"{name}.log").touch()
    assert run(lambda: app(["logs", "kafak"])) == ExitCode.USAGE
    assert "name one of: connect, gate.0, kafka, postgres, registry" in capsys.readouterr().err
    assert run(lambda: app(["logs", "gate.0"])) == ExitCode.OK


@pytest.mark.parametrize("instances", ["0", "1"])
def test_a_kind_of_process_that_there_is_not_is_a_wrong_call_though_nothing_runs(
    home: Path, capsys: pytest.CaptureFixture[str], instances: str
) -> None:
    assert run(lambda: app(["run", "nope", "--instances", instances])) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "there is no kind of process nope" in told
    assert "control, fanout, gate, portal, watch" in told
    assert not home.exists()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("width", [40, 80, 200])
def test_status_shows_whole_names_in_any_window(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    run(lambda: app(["status"]))
    shown = capsys.readouterr().out
    for name in ("postgres", "fanout.default.0", "gate.0", "watch", "running", "stopped"):
        assert name in shown
    assert "…" not in shown


@pytest.mark.parametrize("arguments", [["status"], ["plan"], ["audit", "balance"], ["down"]])
def test_a_wrong_setting_is_named_and_is_no_outage(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("GOVBUS_KAFKA_PORT", "abc")
    assert run(lambda: app(arguments)) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "GOVBUS_KAFKA_PORT" in told
    assert "govbus up" not in told


def test_a_port_in_use_is_told_with_the_setting_that_moves_it(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_arguments: Any) -> None:
        raise ChooseAnotherPort("kafka", 29092, "GOVBUS_KAFKA_PORT", "java (pid 7)")

    monkeypatch.setattr(Stack, "up", taken)
    assert run(lambda: app(["up"])) == ExitCode.UNAVAILABLE
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith("error: kafka: port 29092 is in use by java (pid 7); set GOVBUS_KAFKA_PORT")


@pytest.mark.parametrize(("answer", "left"), [("n\n", True), ("\n", True), ("", True), ("y\n", False)])
def test_reset_asks_before_it_deletes_anything(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: bool
) -> None:
    (home / "data").mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run(lambda: app(["reset"])) == (ExitCode.NEGATIVE if left else ExitCode.OK)
    assert (home / "data").exists() is left


@pytest.fixture
def grouped(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A stack that runs and whose policy names one group; what would be started is noted."""
    started: list[str] = []

    @contextmanager
    def explained() -> Iterator[Any]:
        stack = Stack(StackSettings.from_environment())
        monkeypatch.setattr(stack, "run_processes", lambda all_, _bars: started.extend(c.name for c in all_))
        yield stack

    monkeypatch.setattr(command, "explained", explained)
    monkeypatch.setattr(command, "require", lambda *_arguments: None)
    monkeypatch.setattr(command, "groups_of_policy", lambda _stack: ["default"])
    return started


def test_a_fan_out_of_a_group_that_no_grant_is_in_is_not_started(
    grouped: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: app(["run", "fanout", "--group", "defualt"])) == ExitCode.USAGE
    assert "the groups are: default" in capsys.readouterr().err
    assert grouped == []
    assert run(lambda: app(["run", "fanout", "--instances", "2"])) == ExitCode.OK
    assert grouped == ["fanout.default.0", "fanout.default.1"]


def test_before_the_first_apply_there_is_nothing_to_decide(
    grouped: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "groups_of_policy", lambda _stack: None)
    assert run(lambda: app(["run", "gate"])) == ExitCode.REFUSED
    assert "govbus apply" in capsys.readouterr().err
    assert grouped == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (59.6, "60 s"), (119, "119 s"), (120, "2 min"), (7_260, "2 h 1 min")]
)
def test_how_long_something_runs_is_said_in_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert command._duration(seconds) == text


RUNS = [ComponentStatus(name, State.RUNNING, 7, 1, 1.0, 1.0) for name in ("postgres", "kafka", "registry")]


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack whose infrastructure runs and whose policy names one group."""
    (home / "run").mkdir(parents=True)
    monkeypatch.setattr(Stack, "status", lambda _stack: list(RUNS))
    monkeypatch.setattr(Stack, "up", lambda *_arguments: None)
    current = Prepared(Schema("0001", "0001", Standing.CURRENT), (), ())
    monkeypatch.setattr(command, "prepare_control", lambda *_arguments: current)
    monkeypatch.setattr(expected, "groups_of_policy", lambda _stack: ["default"])
    return Stack(StackSettings.from_environment())


def parts_of(capsys: pytest.CaptureFixture[str]) -> tuple[bool, dict[str, tuple[str, str]]]:
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(shape("status").iter_errors(answer)) == []
    return answer["healthy"], {part["name"]: (part["state"], part["detail"]) for part in answer["components"]}


@pytest.mark.usefixtures("bare")
def test_what_the_policy_needs_and_nobody_started_is_stopped_and_the_bus_not_healthy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(lambda: app(["status", "--json"])) == ExitCode.NEGATIVE
    healthy, parts = parts_of(capsys)
    assert not healthy
    stopped = ("stopped", "not started: `govbus up` starts it")
    assert {name: parts.get(name) for name in ("gate.0", "fanout.default.0", "watch")} == {
        "gate.0": stopped,
        "fanout.default.0": stopped,
        "watch": stopped,
    }
    assert run(lambda: app(["status"])) == ExitCode.NEGATIVE
    assert "infrastructure-only" not in capsys.readouterr().out


@pytest.mark.usefixtures("bare")
def test_a_bus_that_was_left_out_on_purpose_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: app(["up", "--infrastructure-only"])) == ExitCode.OK
    capsys.readouterr()
    assert run(lambda: app(["status"])) == ExitCode.NEGATIVE
    assert "The infrastructure runs alone" in capsys.readouterr().out
    assert run(lambda: app(["status", "--json"])) == ExitCode.NEGATIVE
    assert "left out by `govbus up --infrastructure-only`" in parts_of(capsys)[1]["watch"][1]
    assert run(lambda: app(["up"])) == ExitCode.OK
    capsys.readouterr()
    run(lambda: app(["status", "--json"]))
    assert parts_of(capsys)[1]["watch"][1] == "not started: `govbus up` starts it"


@pytest.mark.usefixtures("bare")
def test_before_the_first_apply_the_infrastructure_alone_is_healthy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "groups_of_policy", lambda _stack: None)
    assert run(lambda: app(["status", "--json"])) == ExitCode.OK
    healthy, parts = parts_of(capsys)
    assert (healthy, len(parts)) == (True, len(RUNS))


@pytest.mark.usefixtures("bare")
def test_a_policy_that_cannot_be_read_is_not_healthy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_stack: Stack) -> None:
        raise PolicyUnread("no end")

    monkeypatch.setattr(expected, "groups_of_policy", broken)
    assert run(lambda: app(["status", "--json"])) == ExitCode.NEGATIVE
    state, detail = parts_of(capsys)[1]["kafka"]
    assert (state, "no end" in detail) == ("unhealthy", True)
