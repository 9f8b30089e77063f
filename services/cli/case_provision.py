"""`govbus case provision`: carry out on the bus what decided cases ask for, now and once."""

import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.case_opened import Folder, the_desk
from services.cli.control import open_control
from services.cli.grant_running import said
from services.cli.output import ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.provisioning.wiring import worker
from services.control.store.cases.listing import StuckStep, stuck_steps
from services.control.store.provisioning.works import Work, waiting
from services.stack.api import Stack
from services.stack.settings import StackSettings

_COLUMNS = ("case", "grant", "wanted", "attempts", "next_at", "note")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("provision")(provision_command)


def provision_command(
    definitions: Folder = None,
    confirm_shrink: Annotated[
        list[str] | None,
        typer.Option("--confirm-shrink", help="Grant whose epoch may remove many records; repeatable."),
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Carry out what cases ask of the bus, once; twice does no harm (exit code 1 if a step failed).

    Stops come first. What must wait, for a retry or for its first day, is listed with what it waits for.
    """
    settings = StackSettings.from_environment(os.environ)
    bus.require(Stack(settings), "kafka")
    desk = the_desk(definitions)
    with open_control() as database:
        run = worker(settings, database, desk, said, tuple(confirm_shrink or ()))
        turns = 0
        while run.turn():
            turns += 1
        with database.reading() as connection:
            left = [_work_shape(each) for each in waiting(connection)]
            stuck = [_stuck_shape(each) for each in stuck_steps(connection)]
    if wants_json(as_json, output):
        emit_json({"turns": turns, "waiting": left, "failed": stuck})
    else:
        typer.echo(f"{turns} requests carried out")
        table("Waiting", _COLUMNS, [[each[name] for name in _COLUMNS] for each in left])
        names = ("number", "step", "attempts", "fault", "reason")
        table("Failed steps", names, [[each[name] for name in names] for each in stuck])
    if stuck or any(each["attempts"] for each in left):
        raise typer.Exit(ExitCode.NEGATIVE)


def _work_shape(work: Work) -> dict[str, Any]:
    return {
        "case": str(work.case),
        "grant": work.grant,
        "wanted": work.wanted.value,
        "attempts": work.attempts,
        "next_at": None if work.next_at is None else work.next_at.isoformat(),
        "note": work.note,
    }


def _stuck_shape(step: StuckStep) -> dict[str, Any]:
    return {**asdict(step), "case": str(step.case)}
