"""`govbus grant drift`: where real rights, users and policy differ from the active cases, and its repair."""

import os
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.case_opened import Folder, the_desk
from services.cli.control import open_control
from services.cli.grant_running import said, told
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.provisioning.drift import Finding, Kind
from services.control.provisioning.ports import CannotProvide
from services.control.provisioning.repairing import DatabaseIsOlder, Drift, Repaired, WorkerIsBusy
from services.control.provisioning.wiring import drift
from services.stack.api import Stack
from services.stack.settings import StackSettings

_COLUMNS = ("kind", "grant", "what", "repaired", "why_not")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("drift")(drift_command)


def drift_command(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Take away what is too much; give back what active cases lack."),
    ] = False,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Compare the broker's real rights and users, and the policy, with the cases (exit code 1: they differ).

    Where the database is older than the bus, as after a restore, nothing is repaired (exit code 4).
    """
    settings = StackSettings.from_environment(os.environ)
    bus.require(Stack(settings), "kafka")
    desk = the_desk(definitions)
    with open_control() as database:
        look = drift(settings, database, desk, said, bus.console_account())
        found = told(lambda: _found(look, repair=repair))
    left = dict(found.left)
    rows = [_row(each, each in found.done, left.get(each, "")) for each in (*found.found, *_later(found))]
    if wants_json(as_json, output):
        emit_json({"findings": rows})
    else:
        table("Drift", _COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
    if any(each.kind is Kind.OLDER_DATABASE for each in found.found):
        raise typer.Exit(ExitCode.REFUSED)
    if any(not row["repaired"] for row in rows):
        raise typer.Exit(ExitCode.NEGATIVE)


def _found(look: Drift, *, repair: bool) -> Repaired:
    try:
        return look.repair() if repair else Repaired(tuple(look.find()))
    except DatabaseIsOlder as error:
        said(f"{error}: nothing was repaired; restore a newer database")
        return Repaired(error.findings)
    except WorkerIsBusy as error:
        raise CommandFailed(ExitCode.PENDING, str(error), "", "run it again") from error
    except CannotProvide as error:
        raise CommandFailed(ExitCode.REFUSED, error.what, "", error.remedy) from error


def _later(found: Repaired) -> Iterable[Finding]:
    """What was found only after something else was repaired."""
    mended = (*found.done, *(finding for finding, _ in found.left))
    return [each for each in mended if each not in found.found]


def _row(finding: Finding, repaired: bool, why_not: str) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "grant": finding.grant,
        "what": finding.what,
        "repaired": repaired,
        "why_not": why_not,
    }
