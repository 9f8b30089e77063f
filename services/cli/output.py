"""What every command prints and how it ends: one JSON object or a table, and errors that say what to do."""

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.stack.progress import say


class ExitCode(IntEnum):
    """How a command ends; documented in docs/auditor.md."""

    OK = 0
    NEGATIVE = 1
    """The question was answered, and the answer is no."""
    USAGE = 2
    """The command line or a setting is wrong."""
    UNAVAILABLE = 3
    """Kafka, the registry or another part of the stack does not answer."""
    REFUSED = 4
    """Somebody refused: a rule, a right, the gate."""
    PENDING = 5
    """Nothing is wrong so far, and not everything is decided yet."""
    BROKEN = 70
    """The command itself broke: a defect of govbus (EX_SOFTWARE of sysexits.h)."""


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


Json = Annotated[bool, typer.Option("--json", help="The same as -o json.")]
Form = Annotated[Format, typer.Option("-o", "--output", help="How to print.")]


class CommandFailed(Exception):  # noqa: N818 - it is told, with what to do
    """The command cannot do what was asked: what happened, where, and what to do about it."""

    def __init__(self, code: ExitCode, what: str, where: str, remedy: str) -> None:
        super().__init__(what)
        self.code, self.what, self.where, self.remedy = code, what, where, remedy


_DOWN: Final = "`govbus status` shows what is down, `govbus up` starts it"
_RIGHTS: Final = "`govbus apply` repairs the rights of the bus's own users"
_LEDGER: Final = "services.ledger"
_STORE: Final = "services.control.store.errors"
_STACK: Final = "services.stack.errors"
REMEDIES: Final = (
    (
        f"{_LEDGER}.coordinates",
        "NotACoordinate",
        ExitCode.USAGE,
        "write the coordinate as TOPIC:PARTITION:OFFSET",
    ),
    (_STACK, "CorrectSetting", ExitCode.USAGE, "correct the setting"),
    (_STACK, "NameAPart", ExitCode.USAGE, "`govbus status` shows the names"),
    (
        f"{_LEDGER}.lookup",
        "RecordMissing",
        ExitCode.NEGATIVE,
        "look at the topic with `govbus tail TOPIC -o -20 -e`",
    ),
    (
        f"{_LEDGER}.reader",
        "TopicMissing",
        ExitCode.USAGE,
        "`govbus plan` shows the topics that should exist, `govbus apply` makes them",
    ),
    (f"{_LEDGER}.reader", "ReadRefused", ExitCode.REFUSED, _RIGHTS),
    (f"{_LEDGER}.writer", "WriteRefused", ExitCode.REFUSED, _RIGHTS),
    ("schemas.registry", "RegistryRefused", ExitCode.REFUSED, "`govbus doctor` checks the registry's users"),
    (f"{_LEDGER}.reader", "KafkaUnavailable", ExitCode.UNAVAILABLE, _DOWN),
    ("schemas.registry", "RegistryUnavailable", ExitCode.UNAVAILABLE, _DOWN),
    (_STACK, "StackError", ExitCode.UNAVAILABLE, _DOWN),
    (
        _STORE,
        "StartControlDatabase",
        ExitCode.UNAVAILABLE,
        "`govbus up` starts it; `govbus status` shows what is down",
    ),
    (_STORE, "RestorePassword", ExitCode.UNAVAILABLE, "restore the file from a backup (mode 600)"),
    (
        _STORE,
        "MigrateDatabase",
        ExitCode.UNAVAILABLE,
        "make a backup, then run `govbus database migrate`",
    ),
    (
        _STORE,
        "InstallNewerProgram",
        ExitCode.UNAVAILABLE,
        "install the govbus that migrated them, or a newer one",
    ),
    (_STORE, "RepeatTransaction", ExitCode.UNAVAILABLE, "nothing was written: repeat the command"),
    (
        _STORE,
        "ReadAgain",
        ExitCode.REFUSED,
        "nothing was written: look at it again and repeat the command",
    ),
    (_STORE, "RaiseVersion", ExitCode.REFUSED, "raise the version in the file"),
    (_STORE, "CloseDisputes", ExitCode.REFUSED, "decide on tickets that are open, then repeat the command"),
    (_STORE, "BeginAnew", ExitCode.USAGE, "ask without --after for the first page"),
)
"""Errors by module and name: what no loaded module has was raised by nobody, and to load them all only to ask
takes longer than most answers."""


def wants_json(as_json: bool, form: Format) -> bool:
    """Whether the answer is to be one JSON object."""
    return as_json or form is Format.JSON


def emit_json(answer: Any) -> None:
    """Print the answer as the last line of standard output; nothing may follow it."""
    sys.stdout.write(json.dumps(plain(answer), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """A value of ours as JSON's own types; bytes that no schema explains become hexadecimal text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Iterable):
        return [plain(inner) for inner in value]
    return str(value)


def note(text: str) -> None:
    """Tell a person what is going on, beside the answer."""
    say(Console(stderr=True, emoji=False), f"[dim]{escape(text)}[/]")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    colours: Mapping[str, str] | None = None,
) -> None:
    """Print rows for a person; what came from records is never taken as markup.

    Coordinates are there to be copied: where the rows are too wide for the window, each is a block of its
    own, so that no word is broken. ``colours`` says in which colour a cell with just this text is shown.
    """
    console = Console(emoji=False)
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not cells:
        console.print(f"{escape(title)}: none", highlight=False)
    elif _table_width(columns, cells) <= console.width:
        _print_grid(console, title, columns, cells, colours or {})
    else:
        _print_blocks(console, title, columns, cells, colours or {})


def _table_width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """The least width in which every word stays whole: three characters between columns, one at the end."""
    return sum(_longest_word(texts) + 3 for texts in zip(columns, *cells, strict=True)) + 1


def _longest_word(texts: Iterable[str]) -> int:
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def _coloured(text: str, colours: Mapping[str, str]) -> str:
    return f"[{colours[text]}]{escape(text)}[/]" if text in colours else escape(text)


def _print_grid(
    console: Console,
    title: str,
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    colours: Mapping[str, str],
) -> None:
    shown = Table(title=escape(title), title_justify="left")
    for column, *texts in zip(columns, *cells, strict=True):
        shown.add_column(column, overflow="fold", min_width=_longest_word([column, *texts]))
    for row in cells:
        shown.add_row(*(_coloured(text, colours) for text in row))
    console.print(shown)


def _print_blocks(
    console: Console,
    title: str,
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    colours: Mapping[str, str],
) -> None:
    console.print(f"[italic]{escape(title)}[/]", highlight=False)
    for head, *rest in cells:
        say(console, f"[bold]{escape(head)}[/]")
        named = zip(columns[1:], rest, strict=True)
        parts = [f"[dim]{escape(name)}[/] {_coloured(text, colours)}" for name, text in named if text]
        say(console, " · ".join(parts), indent=2)


def one_of(value: str, known: Iterable[str], what: str, where: str) -> None:
    """Refuse a choice that there is not, and name those that there are.

    Raises:
        CommandFailed: the value is not among the known ones.
    """
    names = sorted(known)
    if value not in names:
        remedy = (
            f"use one of: {', '.join(names)}" if names else "there is none yet: `govbus apply` makes them"
        )
        raise CommandFailed(ExitCode.USAGE, f"there is no {what} {value}", where, remedy)


def failure(error: Exception) -> CommandFailed | None:
    """The error as what, where and what to do; None for what no command expects."""
    if isinstance(error, CommandFailed):
        return error
    for module, name, code, remedy in REMEDIES:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return CommandFailed(code, str(error), "", remedy)
    return None


def run(program: Callable[[], Any]) -> int:
    """Run the program and return its exit code; errors go to standard error, a defect with its trace."""
    try:
        program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # noqa: BLE001 - whatever breaks, it ends with a code that is no answer
        told = failure(error)
        if told is None:
            traceback.print_exc()
            told = _defect(error)
        tell(told)
        return told.code
    return ExitCode.OK


def _defect(error: Exception) -> CommandFailed:
    remedy = "this is a defect of govbus, not an answer: keep what stands above and tell the engineers"
    return CommandFailed(ExitCode.BROKEN, f"the command broke: {type(error).__name__}", "", remedy)


def tell(told: CommandFailed) -> None:
    """Say on standard error what happened, where, and what to do."""
    console = Console(stderr=True, emoji=False)
    where = f" ({escape(told.where)})" if told.where else ""
    say(console, f"[bold red]error:[/] {escape(told.what)}{where}")
    if told.remedy:
        say(console, f"[bold]what to do:[/] {escape(told.remedy)}")
