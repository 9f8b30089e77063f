"""Every command that answers with --json has its answer described by a JSON Schema in docs/cli/."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from services.cli.main import app

SHAPES = Path(__file__).parents[2] / "docs" / "cli"
#: Commands that answer alike share one shape.
SHARED = {
    "quarantine-release": "quarantine-work",
    "quarantine-discard": "quarantine-work",
    "grant-suspend": "grant-receipt",
    "account-department": "account-departments",
    "account-disable": "account-list",
    "account-enable": "account-list",
    "account-role": "account-list",
    "account-reset-password": "account-add",
    **{
        f"case-{which}": "case-act"
        for which in ("apply", "submit", "decide", "suspend", "resume", "terminate", "appeal", "extend")
    },
    "policy-show": "policy-adopt",
    "snapshot-abort": "snapshot-status",
    **{f"replay-{which}": "replay-create" for which in ("approve", "show", "cancel")},
    "database-migrate": "database",
    "database-status": "database",
    "catalogue-search": "catalogue-list",
    "catalogue-postpone-retirement": "catalogue-retire",
    "catalogue-cancel-retirement": "catalogue-retire",
    "catalogue-demand-state": "catalogue-demand-step",
    "catalogue-objection-make": "catalogue-objection-step",
    **{f"notice-{which}": "notice-address" for which in ("add", "rotate", "remove")},
    **{f"ticket-{which}": "ticket-step" for which in ("report", "dispatch", "decide", "confirm", "step")},
    **{f"bench-{which}": "bench" for which in ("fanout", "gate", "end-to-end", "grants", "load", "engine")},
}


def answering(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands with --json, each as its words joined by hyphens."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from answering(command, (*path, name))
        elif any("--json" in parameter.opts for parameter in command.params):
            yield "-".join((*path, name))


@cache
def commands() -> list[str]:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return sorted(answering(found))


@pytest.mark.parametrize("command", commands())
def test_an_answer_in_json_has_a_documented_shape(command: str) -> None:
    assert (SHAPES / f"{SHARED.get(command, command)}.schema.json").exists()


def test_no_shape_is_left_over_of_a_command_that_is_gone() -> None:
    names = {path.name.removesuffix(".schema.json") for path in SHAPES.glob("*.schema.json")}
    assert names == {SHARED.get(command, command) for command in commands()}
