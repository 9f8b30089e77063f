"""`govbus clock years`: the calendar of the control plane."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.accounts.actions import Action
from services.control.clocks.calendar_file import CalendarInvalid, read_year
from services.control.definition_error import DefinitionError
from services.control.store.clocks.calendars import import_year, known_years

app = typer.Typer(help="The calendar of working days in the control plane.", no_args_is_help=True)

Existing = typer.Argument(exists=True, dir_okay=False, readable=True)


@app.callback()
def years() -> None:
    """The calendar of working days in the control plane."""


@app.command("list")
def list_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """List the years whose notice is there; a deadline beyond them is provisional."""
    with open_control() as database, database.reading() as connection:
        found = sorted(known_years(connection))
    if wants_json(as_json, output):
        emit_json({"years": found})
    else:
        table("Years whose notice is there", ("year",), [(year,) for year in found])


@app.command("import")
def import_command(
    file: Annotated[Path, Existing],
    who: As,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take the notice of a year, whole, instead of the one that was there."""
    try:
        days = read_year(file, file.name)
    except CalendarInvalid as error:
        raise wrong(error.errors, "the calendar file") from error
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.POLICY_IMPORT_CALENDAR)
        changed = import_year(connection, days, by.id, datetime.now(UTC), recorder=by.console)
    answer = {"year": days[0].year, "days": len(days), "changed": changed}
    tell_imported(answer, wants_json(as_json, output))


def wrong(errors: tuple[DefinitionError, ...], what: str) -> CommandFailed:
    """An error that says everything that is wrong with a file; ``what`` names it."""
    first, *others = errors
    remedy = "\n".join([f"correct {what}", *map(str, others)])
    return CommandFailed(ExitCode.USAGE, str(first), "", remedy)


def tell_imported(answer: Mapping[str, object], as_json: bool) -> None:
    """Print what was taken."""
    if as_json:
        emit_json(answer)
    else:
        table("Imported", tuple(answer), [tuple(answer.values())])
