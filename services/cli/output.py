"""What every command prints and how it ends: one JSON object or a table, and errors that say what to do."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.registry import RegistryRefused, RegistryUnavailable
from services.ledger.coordinates import NotACoordinate
from services.ledger.lookup import RecordMissing
from services.ledger.reader import KafkaUnavailable, ReadRefused, TopicMissing
from services.ledger.writer import WriteRefused
from services.stack.errors import CorrectSetting, StackError


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


_REMEDIES: Final[Sequence[tuple[type[Exception], ExitCode, str]]] = (
    (NotACoordinate, ExitCode.USAGE, "write the coordinate as TOPIC:PARTITION:OFFSET"),
    (CorrectSetting, ExitCode.USAGE, "correct the setting"),
    (RecordMissing, ExitCode.NEGATIVE, "look at the topic with `govbus tail TOPIC -o -20 -e`"),
    (
        TopicMissing,
        ExitCode.USAGE,
        "`govbus plan` shows the topics that should exist, `govbus apply` makes them",
    ),
    (ReadRefused, ExitCode.REFUSED, "`govbus apply` repairs the rights of the bus's own users"),
    (WriteRefused, ExitCode.REFUSED, "`govbus apply` repairs the rights of the bus's own users"),
    (RegistryRefused, ExitCode.REFUSED, "`govbus doctor` checks the registry's users"),
    (KafkaUnavailable, ExitCode.UNAVAILABLE, "`govbus status` shows what is down, `govbus up` starts it"),
    (RegistryUnavailable, ExitCode.UNAVAILABLE, "`govbus status` shows what is down, `govbus up` starts it"),
    (StackError, ExitCode.UNAVAILABLE, "`govbus status` shows what is down, `govbus up` starts it"),
)


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
    Console(stderr=True).print(escape(text), style="dim")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows for a person; what came from records is never taken as markup."""
    shown = Table(title=title, title_justify="left")
    for column in columns:
        # Coordinates are there to be copied: folded, never shortened.
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    Console().print(shown)


def failure(error: Exception) -> CommandFailed | None:
    """The error as what, where and what to do; None for what no command expects."""
    if isinstance(error, CommandFailed):
        return error
    for kind, code, remedy in _REMEDIES:
        if isinstance(error, kind):
            return CommandFailed(code, str(error), "", remedy)
    return None


def run(program: Callable[[], Any]) -> int:
    """Run the program and return its exit code; expected errors are told on standard error."""
    try:
        program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:
        told = failure(error)
        if told is None:
            raise
        tell(told)
        return told.code
    return ExitCode.OK


def tell(told: CommandFailed) -> None:
    """Say on standard error what happened, where, and what to do."""
    console = Console(stderr=True)
    where = f" ({escape(told.where)})" if told.where else ""
    console.print(f"[bold red]error:[/] {escape(told.what)}{where}", highlight=False, soft_wrap=True)
    console.print(f"[bold]what to do:[/] {escape(told.remedy)}", highlight=False, soft_wrap=True)
