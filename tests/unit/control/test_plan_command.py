"""`govbus plan --offline` answers without a stack, in the documented shape."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from services.cli import plan
from services.cli.plan import register
from services.control.applied import Applied
from services.stack.api import State

DOCS = Path(__file__).resolve().parents[3] / "docs" / "cli"


def program() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


def shape(name: str) -> Any:
    return json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_an_offline_plan_is_one_object_of_the_documented_shape() -> None:
    answer = CliRunner().invoke(program(), ["plan", "--offline", "--json"])
    assert answer.exit_code == 0
    plan = json.loads(answer.stdout.splitlines()[-1])
    jsonschema.validate(plan, shape("plan"))
    assert plan["changes"] == len(plan["steps"]) > 100


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--exit-code"], 1)])
def test_the_exit_code_says_whether_something_would_change_only_where_asked(
    options: list[str], code: int
) -> None:
    assert CliRunner().invoke(program(), ["plan", "--offline", *options]).exit_code == code


def test_definitions_that_are_wrong_exit_with_2_and_name_the_file(tmp_path: Path) -> None:
    answer = CliRunner().invoke(program(), ["plan", "--offline", "--definitions", str(tmp_path)])
    assert answer.exit_code == 2
    assert "providers.yaml:1: the file is missing" in answer.output


ALL_THAT_APPLY_TELLS = Applied(
    steps=3,
    policy_version=7,
    credentials={"consumer-tax": "credentials/tax.json"},
    filled={"tax-enterprises": {"copied": 2}},
    receipts={"tax-permits": "receipts/tax-permits.1.json"},
    waiting={"education-persons": "a sweep would remove more than a tenth"},
    connectors={"capture.police": "created"},
    held_back={"registry": [{"what": "it does not answer", "remedy": "govbus up"}]},
)


@pytest.mark.parametrize("applied", [Applied(), ALL_THAT_APPLY_TELLS])
def test_what_apply_answers_has_the_documented_shape(applied: Applied) -> None:
    answer = applied.as_json()
    jsonschema.validate(answer, shape("apply"))
    assert json.loads(json.dumps(answer)) == answer


def test_a_provider_that_nobody_declares_cannot_be_captured_anew() -> None:
    """Told before the stack is asked for anything."""
    assert CliRunner().invoke(program(), ["apply", "--recapture", "nobody"]).exit_code == 2


class Part(NamedTuple):
    name: str
    state: State


class OnlyKafka:
    """A stack of which nothing but Kafka runs."""

    def __init__(self, _settings: object) -> None:
        pass

    def status(self) -> list[Part]:
        return [Part("kafka", State.RUNNING), Part("registry", State.CRASHED), Part("connect", State.STOPPED)]

    def admin(self) -> Any:
        return SimpleNamespace(list_topics=lambda **_: SimpleNamespace(topics={}))


class WithdrawsOnly:
    """An apply that finds the registry gone."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def run(self) -> Applied:
        waits = {"registry": [{"what": "it does not answer", "remedy": "start it"}]}
        return Applied(steps=1, receipts={"health": "receipts/health.1.json"}, held_back=waits)


def test_apply_asks_for_kafka_only_and_says_that_the_rest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "Stack", OnlyKafka)
    monkeypatch.setattr(plan, "access_of", lambda _stack: None)
    monkeypatch.setattr(plan, "Apply", WithdrawsOnly)
    answer = CliRunner().invoke(program(), ["apply", "--json"])
    assert answer.exit_code == 3
    told = json.loads(answer.stdout.splitlines()[-1])
    jsonschema.validate(told, shape("apply"))
    assert (list(told["receipts"]), list(told["held_back"])) == (["health"], ["registry"])
