"""Every `govbus …` line in the documents is a command that exists, with options that it has."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from services.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(govbus [^`\n]+)`")


def commands_in(text: str) -> Iterator[str]:
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            stripped = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if stripped.startswith("govbus "):
                yield stripped
    yield from _INLINE.findall(text)


COMMAND = typer.main.get_command(app)
FOUND = [
    pytest.param(command, id=f"{document.relative_to(ROOT)}: {command[:60]}")
    for document in DOCUMENTS
    for command in commands_in(document.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("command", FOUND)
def test_a_documented_command_exists_with_the_options_it_is_shown_with(command: str) -> None:
    words = shlex.split(command.split(" #")[0].split(" | ")[0].split(" > ")[0])[1:]
    found = COMMAND
    while words and isinstance(found, TyperGroup) and words[0] in found.commands:
        found = found.commands[words.pop(0)]
    if words and isinstance(found, TyperGroup) and not words[0].startswith("-"):
        alternatives = re.split(r"[|,]", words[0])
        missing = [word for word in alternatives if word not in found.commands and word.isalpha()]
        assert not missing, f"{command!r}: no such command: {missing}"
        return
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known.add("--help")
    shown = {word.split("=")[0] for word in words if re.match(r"^--?[a-z]", word)}
    assert shown <= known, f"{command!r}: unknown options {sorted(shown - known)}"


def test_the_documents_show_commands() -> None:
    assert len(FOUND) > 10
