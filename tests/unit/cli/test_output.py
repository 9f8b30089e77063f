"""What commands print stays readable: no word is broken in a narrow window, no line in a file."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from services.cli import output
from services.cli.output import CommandFailed, ExitCode, note, one_of, table, tell
from services.stack.progress import say

COORDINATE = "raw.market_regulation.public.enterprise:3:9"
PATH = f"/srv/{'govbus/' * 14}credentials/education.json"


class Screen:
    """Takes what is printed to a terminal, or to a file, of a given width."""

    def __init__(self, width: int, *, terminal: bool) -> None:
        self._text = io.StringIO()
        self._options = {"file": self._text, "width": width, "force_terminal": terminal, "no_color": True}
        self.console = Console(**self._options)  # type: ignore[arg-type]

    def made(self, *, emoji: bool = True, **_options: object) -> Console:
        """The console as the code under test asks for it."""
        return Console(emoji=emoji, **self._options)  # type: ignore[arg-type]

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in Text.from_ansi(self._text.getvalue()).plain.splitlines()]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Screen]:
    def make(width: int, *, terminal: bool = True) -> Screen:
        screen = Screen(width, terminal=terminal)
        monkeypatch.setattr(output, "Console", screen.made)
        return screen

    return make


def test_rows_that_fit_are_a_table_and_no_word_of_them_is_broken(at: Callable[..., Screen]) -> None:
    screen = at(80)
    table("Stopped", ["raw", "reason", "detail"], [(COORDINATE, "QUALITY", "MISSING: the name of it")])
    assert any(COORDINATE in line for line in screen.lines)
    assert any("│" in line for line in screen.lines)


def test_rows_that_do_not_fit_are_blocks_and_no_word_of_them_is_broken(at: Callable[..., Screen]) -> None:
    screen = at(60)
    table(
        "Stopped",
        ["raw", "reason", "detail", "actor"],
        [(COORDINATE, "IDENTITY_INVALID", "id_number: BIRTH_DATE_IN_THE_FUTURE", None)],
    )
    assert screen.lines[:2] == ["Stopped", COORDINATE]
    words = " ".join(screen.lines).split()
    assert {"IDENTITY_INVALID", "BIRTH_DATE_IN_THE_FUTURE"} <= set(words)
    assert "actor" not in words
    assert all(len(line) <= 60 for line in screen.lines)


def test_chinese_characters_count_as_wide_as_they_are(at: Callable[..., Screen]) -> None:
    screen = at(40)
    table("Names", ["name", "other"], [("苏州平江丝绸有限公司贸易部", "苏州平江丝绸有限公司")])
    assert not any("│" in line for line in screen.lines)


def test_no_rows_are_said_in_a_line(at: Callable[..., Screen]) -> None:
    screen = at(80)
    table("Stopped events", ["raw", "reason"], [])
    assert screen.lines == ["Stopped events: none"]


def test_what_came_from_a_record_is_never_taken_as_markup(at: Callable[..., Screen]) -> None:
    for width in (80, 10):
        screen = at(width)
        table("x", ["one", "two"], [("[bold]a", "[/]")])
        assert "[bold]a" in " ".join(screen.lines)
        assert "[/]" in " ".join(screen.lines)


def test_a_line_breaks_between_words_on_a_terminal_and_not_at_all_in_a_file() -> None:
    sentence = "the departments keep what they had before the change that was stopped at the gate"
    terminal, file = Screen(30, terminal=True), Screen(30, terminal=False)
    for screen in (terminal, file):
        say(screen.console, sentence, indent=3, hanging=2)
    assert file.lines == [f"   {sentence}"]
    first, *others = terminal.lines
    assert others
    assert first.startswith("   the")
    assert all(line.startswith("     ") and line[5] != " " for line in others)
    assert all(len(line) <= 30 for line in terminal.lines)
    assert " ".join(" ".join(terminal.lines).split()) == sentence


def test_an_error_says_what_where_and_what_to_do(at: Callable[..., Screen]) -> None:
    screen = at(1000, terminal=False)
    tell(CommandFailed(ExitCode.USAGE, "there is no [x]", "--y", "use z"))
    tell(CommandFailed(ExitCode.USAGE, f"{PATH} is missing; restore it", "", ""))
    assert screen.lines == [
        "error: there is no [x] (--y)",
        "what to do: use z",
        f"error: {PATH} is missing; restore it",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_coordinate_never_becomes_a_picture(at: Callable[..., Screen], terminal: bool) -> None:
    for width in (80, 12):
        screen = at(width, terminal=terminal)
        tell(CommandFailed(ExitCode.USAGE, "a:b:c", "x:b:y", ":snake:"))
        table("t:b:u", ["one", "two"], [("a:b:c", "raw:a:7")])
        note("d:a:e")
        said = "".join("\n".join(screen.lines).split())
        for text in ("a:b:c", "x:b:y", ":snake:", "t:b:u", "raw:a:7", "d:a:e"):
            assert text in said


def test_every_console_leaves_text_between_colons_alone() -> None:
    sources = Path(output.__file__).parents[1].rglob("*.py")
    made = [
        (source.name, call)
        for source in sources
        for call in re.findall(
            r"\bConsole\([^()]*\)|from_markup\([^()]*\)", source.read_text(encoding="utf-8")
        )
    ]
    assert made
    assert [each for each in made if "emoji=False" not in each[1]] == []


def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    one_of("b", ["b", "a"], "letter", "--letter")
    with pytest.raises(CommandFailed) as caught:
        one_of("c", ["b", "a"], "letter", "--letter")
    assert (caught.value.what, caught.value.remedy) == ("there is no letter c", "use one of: a, b")
