"""The check-up as a whole: it survives whatever it asks, and works with a stack that never ran."""

import json
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from services.cli import doctor
from services.doctor.checkup import CHECKS, Check, checkup
from services.doctor.finding import Finding, Level, ok
from services.doctor.patient import Patient
from services.stack.api import State
from tests.stack_fixture import PORTS
from tests.support.ports import free_ports

SCHEMA = json.loads(Path("docs/cli/doctor.schema.json").read_text(encoding="utf-8"))


def patient(**states: State) -> Patient:
    return cast(Patient, SimpleNamespace(states=states))


def raising(_patient: Patient) -> list[Finding]:
    raise RuntimeError("no route, password=topsecret")


def test_a_check_that_breaks_is_a_failure_and_the_others_go_on() -> None:
    checks = (Check("a", raising), Check("b", lambda _: [ok("b", "well")]))
    report = checkup(patient(), checks)
    assert [(finding.check, finding.level) for finding in report.findings] == [
        ("a", Level.FAILURE),
        ("b", Level.OK),
    ]
    assert report.findings[0].seen.startswith("cannot be checked: RuntimeError: no route")
    assert "topsecret" not in report.findings[0].seen
    assert not report.healthy


def test_a_check_that_hangs_is_a_failure_in_time() -> None:
    never = Event()

    def hanging(_patient: Patient) -> list[Finding]:
        never.wait(30)
        return []

    report = checkup(patient(), (Check("slow", hanging), Check("b", lambda _: [ok("b", "well")])), 0.2)
    never.set()
    assert [finding.level for finding in report.findings] == [Level.FAILURE, Level.OK]
    assert report.seconds < 5


@pytest.mark.parametrize("state", [State.STOPPED, State.CRASHED])
def test_what_needs_a_part_that_is_down_says_which(state: State) -> None:
    (finding,) = checkup(patient(kafka=state), (Check("topics", raising, ("kafka",)),)).findings
    assert finding.seen == f"cannot be checked: kafka is {state}"
    assert finding.remedy == "govbus up"


def run(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("GOVBUS_HOME", str(home))
    for field, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        monkeypatch.setenv(f"GOVBUS_{field.upper()}", str(port))
    app = typer.Typer()
    doctor.register(app)
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout


def test_a_stack_that_never_ran_is_reported_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = run(tmp_path / "home", monkeypatch, "--json")
    report: dict[str, Any] = json.loads(printed.splitlines()[-1])
    jsonschema.validate(report, SCHEMA)
    assert code == 1
    levels = {(line["check"], line["level"]) for line in report["findings"]}
    assert {("process", "failure"), ("version", "ok"), ("port", "ok"), ("declared", "failure")} <= levels
    assert {check.name for check in CHECKS} - {"watch"} <= {line["check"] for line in report["findings"]}
    assert all(line["remedy"] for line in report["findings"] if line["level"] == "failure")
    assert not (tmp_path / "home").exists()


def test_for_people_every_failure_comes_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = run(tmp_path / "home", monkeypatch, "--quiet")
    assert code == 1
    assert "FAILURE" in printed
    assert "→ govbus up" in printed
    assert "Python" not in printed
