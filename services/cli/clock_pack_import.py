"""`govbus clock packs import`: a version of a policy pack for the control plane."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.acting import As, acting
from services.cli.clock_store import Existing, tell_imported, wrong
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, wants_json
from services.control.accounts.actions import Action
from services.control.clocks.pack_file import PacksInvalid
from services.control.store.clocks.packs import import_pack


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_command)


def import_command(
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
            raise wrong(error.errors, "the pack") from error
        except UnicodeDecodeError as error:
            what = f"not UTF-8 at byte {error.start}"
            raise CommandFailed(ExitCode.USAGE, what, str(file), "save the file as UTF-8") from error
    pack = None if found is None else f"{found.id}/{found.version}"
    tell_imported({"file": str(file), "imported": pack}, wants_json(as_json, output))
