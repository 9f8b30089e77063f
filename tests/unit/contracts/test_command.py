"""`govbus grant contract`, from definitions and from a bus that runs."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
import yaml

from services.cli import grant_contract
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.policy_topic import PolicyUnreadable
from tests.support.official import asyncapi, odcs, problems
from tests.support.policy import sample_policy
from tests.unit.cli.called import Ended, shape
from topics.policy import Policy

COMMANDS = typer.main.get_command(app)
Call = Callable[..., Ended]


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(["grant", "contract", *arguments]))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err
        return ended

    return call


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Callable[[Policy | None], None]:
    """A stack that runs with this policy."""

    def with_policy(policy: Policy | None) -> None:
        endpoints = SimpleNamespace(
            kafka_bootstrap="127.0.0.1:29092", registry_url="http://127.0.0.1:28081/v7"
        )
        stack: Any = SimpleNamespace(endpoints=lambda: endpoints)
        monkeypatch.setattr(grant_contract, "Stack", lambda _settings: stack)
        monkeypatch.setattr(grant_contract, "require", lambda *_parts: None)
        monkeypatch.setattr(grant_contract, "current_policy", lambda _stack: policy)

    return with_policy


@pytest.mark.parametrize("standard", ["asyncapi", "odcs"])
def test_offline_the_declared_grant_is_printed_as_json_and_the_same_as_yaml(
    standard: str, contract: Call
) -> None:
    ended = contract("tax-enterprises", "--format", standard, "--offline", "--json")
    assert ended.code == ExitCode.OK, ended.err
    shape("grant-contract").validate(ended.answer)
    assert problems(asyncapi() if standard == "asyncapi" else odcs(), ended.answer) == []
    assert "servers" not in ended.answer
    printed = contract("tax-enterprises", "--format", standard, "--offline")
    assert yaml.safe_load(printed.out) == ended.answer


@pytest.mark.parametrize("standard", ["asyncapi", "odcs"])
def test_of_a_running_bus_the_grant_in_force_is_printed_with_addresses(
    standard: str, contract: Call, running: Callable[[Policy | None], None]
) -> None:
    running(sample_policy(7))
    ended = contract("education-persons", "--format", standard, "--json", "--language", "en")
    assert ended.code == ExitCode.OK, ended.err
    shape("grant-contract").validate(ended.answer)
    assert "127.0.0.1:29092" in ended.out
    assert "Education Bureau" in ended.out
    assert '"policyVersion"' in ended.out or '"value": 7' in ended.out


def test_an_unknown_grant_names_those_that_there_are(
    contract: Call, running: Callable[[Policy | None], None]
) -> None:
    running(sample_policy())
    for offline in ([], ["--offline"]):
        ended = contract("nobody", "--format", "odcs", *offline)
        assert ended.code == ExitCode.USAGE
        assert "health-persons-gusu" in ended.err


def test_what_cannot_be_asked_is_said_with_what_to_do(
    contract: Call, running: Callable[[Policy | None], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert contract("tax-permits", "--format", "odcs").code == ExitCode.UNAVAILABLE
    wrong = contract("tax-permits", "--format", "odcs", "--definitions", str(tmp_path))
    assert (wrong.code, "--offline" in wrong.err) == (ExitCode.USAGE, True)
    broken = contract("tax-permits", "--format", "odcs", "--offline", "--definitions", str(tmp_path))
    assert (broken.code, "providers.yaml" in broken.err) == (ExitCode.USAGE, True)
    running(None)
    nothing = contract("tax-permits", "--format", "odcs")
    assert (nothing.code, "govbus apply" in nothing.err) == (ExitCode.REFUSED, True)
    policy = sample_policy()
    running(policy.model_copy(update={"resources": {}}))
    assert contract("tax-permits", "--format", "odcs").code == ExitCode.REFUSED

    def unreadable(_stack: object) -> Policy:
        raise PolicyUnreadable("the topic policy did not answer")

    monkeypatch.setattr(grant_contract, "current_policy", unreadable)
    assert contract("tax-permits", "--format", "odcs").code == ExitCode.UNAVAILABLE
