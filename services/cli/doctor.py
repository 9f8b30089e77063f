"""`govbus doctor`: is everything well, and if not, what exactly mends it."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.output import ExitCode, Form, Format, Json
from services.cli.plan import access_of
from services.cli.policy import without_sample_grants
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from services.doctor.checkup import checkup
from services.doctor.finding import Level, Report
from services.doctor.patient import Patient
from services.stack.api import ComponentStatus, Stack, State
from services.stack.errors import CorrectSetting, StackError
from services.stack.settings import StackSettings

_MARKS: Final = {
    Level.OK: ("ok", "green"),
    Level.NOTE: ("note", "cyan"),
    Level.WARNING: ("warning", "yellow"),
    Level.FAILURE: ("FAILURE", "bold red"),
}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("doctor")(doctor_command)


def doctor_command(
    definitions: Annotated[
        Path | None,
        typer.Option("--definitions", help="Folder of the definitions; the sample city's if not given."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what is well.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Check machine, stack and ways in, line by line with what mends it (exit code 1: something failed)."""
    report = checkup(_patient(definitions))
    if as_json or output is Format.JSON:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _show(report, quiet=quiet)
    raise typer.Exit(ExitCode.OK if report.healthy else ExitCode.NEGATIVE)


def _patient(folder: Path | None) -> Patient:
    try:
        stack = Stack(StackSettings.from_environment())
    except CorrectSetting as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(ExitCode.USAGE) from None
    declared, wrong = _definitions(folder)
    statuses, unknown = _statuses(stack)
    kafka_runs = any(each.name == "kafka" and each.state is State.RUNNING for each in statuses)
    if declared is not None and folder is None and kafka_runs:
        declared = without_sample_grants(declared, stack)
    return Patient(stack, access_of(stack), declared, statuses, wrong, unknown)


def _definitions(folder: Path | None) -> tuple[Definitions | None, str]:
    """The definitions, or what is wrong with them."""
    try:
        return load_definitions(folder or packaged_definitions()), ""
    except (DefinitionsInvalid, OSError) as error:
        return None, str(error)


def _statuses(stack: Stack) -> tuple[tuple[ComponentStatus, ...], str]:
    """How each process is, or why that cannot be told: a secret that is gone, for one."""
    try:
        return tuple(stack.status()), ""
    except (StackError, OSError) as error:
        return (), str(error)


def _show(report: Report, *, quiet: bool) -> None:
    console = Console(emoji=False)
    table = Table("check", "", "what was seen, and what mends it", box=None, pad_edge=False)
    for finding in report.findings:
        if quiet and finding.level is Level.OK:
            continue
        mark, style = _MARKS[finding.level]
        text = Text(finding.seen)
        if finding.remedy:
            text.append(f"\n→ {finding.remedy.strip()}", style="bold")
        table.add_row(finding.check, Text(mark, style=style), text)
    console.print(table)
    counts = f"{len(report.of(Level.FAILURE))} failures, {len(report.of(Level.WARNING))} warnings"
    console.print(f"{counts}, {len(report.findings)} lines in {report.seconds:.1f} s", highlight=False)
