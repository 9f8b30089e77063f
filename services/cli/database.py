"""`govbus database migrate | status`: the control plane's tables."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from services.cli.control import control_database
from services.cli.output import ExitCode, Form, Format, Json, emit_json, note, table, wants_json
from services.control.process.address import As
from services.control.store.database import ControlDatabase
from services.control.store.migrate import Schema, Standing, current
from services.control.store.prepare import Prepared, prepare
from services.stack.api import Stack
from services.stack.settings import StackSettings

app = typer.Typer(help="The tables of the control plane.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """The tables of the control plane."""


@app.command("migrate")
def migrate_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Bring the tables to what this program expects, and fill in calendars and policy packs that are missing.

    `govbus up` does the same. Make a backup before: there is no way back.
    """
    opened = control_database(Stack(StackSettings.from_environment()), As.OWNER)
    try:
        done = prepare(opened, datetime.now(UTC))
        _answer(opened, current(opened), as_json or output is Format.JSON)
    finally:
        opened.close()
    told = prepared_in_words(done)
    if told:
        note(told)


@app.command("status")
def status_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Say whether the tables are what this program expects (exit code 1 if not)."""
    opened = control_database(Stack(StackSettings.from_environment()))
    try:
        schema = current(opened)
        _answer(opened, schema, wants_json(as_json, output))
    finally:
        opened.close()
    if schema.standing is not Standing.CURRENT:
        raise typer.Exit(ExitCode.NEGATIVE)


def prepared_in_words(done: Prepared) -> str:
    """What was done to the tables, for a person; empty where nothing was."""
    parts = []
    if done.before.standing is Standing.BEHIND:
        parts.append(f"migrated from {done.before.found or 'nothing'} to {done.before.wanted}")
    if done.years:
        parts.append(f"calendar filled with {len(done.years)} years")
    if done.packs:
        parts.append(f"{len(done.packs)} policy packs imported")
    return f"control plane: {', '.join(parts)}" if parts else ""


def _answer(opened: ControlDatabase, schema: Schema, as_json: bool) -> None:
    answer = {"database": opened.where, **asdict(schema)}
    if as_json:
        emit_json(answer)
    else:
        table("Tables of the control plane", tuple(answer), [tuple(answer.values())])
