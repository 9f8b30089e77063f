"""One vocabulary for who acts, on every command: ``--as`` names an account, and nothing else does."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from services.cli.main import app

MUST = {
    "case act",
    "case appeal",
    "case apply",
    "case decide",
    "case extend",
    "case resume",
    "case submit",
    "case suspend",
    "case terminate",
    "catalogue cancel-retirement",
    "catalogue demand state",
    "catalogue demand step",
    "catalogue objection make",
    "catalogue objection step",
    "catalogue postpone-retirement",
    "catalogue retire",
    "catalogue step",
    "clock packs import",
    "clock years import",
    "conflicts decide",
    "notice add",
    "notice remove",
    "notice rotate",
    "policy adopt",
    "replay approve",
    "replay cancel",
    "replay create",
    "replay run",
    "report make",
    "ticket confirm",
    "ticket decide",
    "ticket dispatch",
    "ticket report",
    "ticket step",
    "trace",
}
"""What a department or the authority decides: nobody does it without an account that may."""
MAY = {
    "catalogue import",
    "conflicts list",
    "evidence export",
    "evidence receipt",
    "grant resume",
    "grant suspend",
    "quarantine discard",
    "quarantine release",
    "quarantine show",
    "reconcile",
    "snapshot abort",
    "snapshot start",
    "tail",
    "ticket show",
}
"""What the machine's user may do for himself too, and an account as far as it may."""
WHOSE = {"account add", "account list", "catalogue demand needs", "clock breaches"}
"""Where ``--department`` says whose accounts or records are meant."""
ON_WHOM = {"report make"}
"""Where an account acts, and ``--department`` says on whom."""


Options = Mapping[str, Any]


def commands(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its whole name."""
    if not isinstance(group, TyperGroup):
        yield name, group
        return
    for each in list(group.commands):
        yield from commands(group.commands[each], f"{name} {each}".strip())


def options(command: Any) -> Options:
    return {text: each for each in command.params for text in each.opts if text.startswith("--")}


@pytest.fixture(scope="module")
def every() -> Mapping[str, Options]:
    return {name: options(command) for name, command in commands(typer.main.get_command(app))}


def test_who_acts_is_named_by_as_where_somebody_must_and_where_somebody_may(
    every: Mapping[str, Options],
) -> None:
    named = {name: given["--as"] for name, given in every.items() if "--as" in given}
    assert {name for name, option in named.items() if option.required} == MUST
    assert {name for name, option in named.items() if not option.required} == MAY
    assert {option.metavar for option in named.values()} == {"LOGIN"}


@pytest.mark.parametrize("word", ["--for", "--actor", "--person", "--as-provider", "--by-account"])
def test_no_other_option_names_who_acts(every: Mapping[str, Options], word: str) -> None:
    # `trace --person` says whom the trace is about, by kind.
    assert [name for name, given in every.items() if word in given and name != "trace"] == []


def test_a_department_says_whose_records_are_meant_and_never_who_acts(
    every: Mapping[str, Options],
) -> None:
    named = {name for name, given in every.items() if "--department" in given}
    assert named == WHOSE | ON_WHOM
    assert (named - ON_WHOM).isdisjoint(MUST | MAY)
