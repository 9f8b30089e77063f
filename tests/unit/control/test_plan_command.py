"""`govbus plan --offline` answers without a stack, in the documented shape."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from services.cli.plan import register
from services.control.applied import Applied

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


def test_what_apply_answers_has_the_documented_shape() -> None:
    jsonschema.validate(Applied().as_json(), shape("apply"))


def test_a_provider_that_nobody_declares_cannot_be_captured_anew() -> None:
    """Told before the stack is asked for anything."""
    assert CliRunner().invoke(program(), ["apply", "--recapture", "nobody"]).exit_code == 2
