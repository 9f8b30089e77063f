"""`govbus clock years` and `govbus clock packs import`: the calendar and the packs of the control plane."""

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
from services.control.clocks.pack_file import PacksInvalid
from services.control.store.clocks.calendars import import_year, known_years
from services.control.store.clocks.packs import import_pack
from services.control.yaml_source import DefinitionError

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
        raise _wrong(error.errors, "the calendar file") from error
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.POLICY_IMPORT_CALENDAR)
        changed = import_year(connection, days, by.id, datetime.now(UTC), recorder=by.console)
    answer = {"year": days[0].year, "days": len(days), "changed": changed}
    _tell(answer, wants_json(as_json, output))


def import_pack_command(
    file: Annotated[Path, Existing],
    who: As,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take a version of a policy pack; a version that is there already never changes."""
    with open_control() as database, database.begin() as connection:
        try:
            by = acting(connection, who, Action.POLICY_CHANGE_PACKS)
            text = file.read_text(encoding="utf-8")
            found = import_pack(connection, text, file.name, by.id, datetime.now(UTC), by.console)
        except PacksInvalid as error:
            raise _wrong(error.errors, "the pack") from error
        except UnicodeDecodeError as error:
            what = f"not UTF-8 at byte {error.start}"
            raise CommandFailed(ExitCode.USAGE, what, str(file), "save the file as UTF-8") from error
    pack = None if found is None else f"{found.id}/{found.version}"
    _tell({"file": str(file), "imported": pack}, wants_json(as_json, output))


def _wrong(errors: tuple[DefinitionError, ...], what: str) -> CommandFailed:
    first, *others = errors
    remedy = "\n".join([f"correct {what}", *map(str, others)])
    return CommandFailed(ExitCode.USAGE, str(first), "", remedy)


def _tell(answer: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        emit_json(answer)
    else:
        table("Imported", tuple(answer), [tuple(answer.values())])
