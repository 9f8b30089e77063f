"""What commands on cases need: the desk over the definitions, and a case by its number or id."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import Connection

from services.cli.output import CommandFailed, ExitCode
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from services.control.desk.catalogued import PublishedEntries, StoredCalendars
from services.control.desk.desk import Desk
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.reading import id_of

Folder = Annotated[
    Path | None,
    typer.Option(
        "--definitions", exists=True, file_okay=False, help="Folder of definitions; the sample city's if not."
    ),
]


def the_desk(folder: Path | None) -> Desk:
    """The desk over the catalogue's store, and the resources that these definitions declare.

    Raises:
        CommandFailed: the definitions cannot be used.
    """
    return Desk(PublishedEntries(declared(folder)), StoredCalendars(), GrantOutbox())


def declared(folder: Path | None) -> Definitions:
    """The definitions of a folder, the sample city's where none is given.

    Raises:
        CommandFailed: they cannot be used.
    """
    try:
        return load_definitions(packaged_definitions() if folder is None else folder)
    except DefinitionsInvalid as error:
        first, *others = error.errors
        remedy = "\n".join(["correct the definitions", *map(str, others)])
        raise CommandFailed(ExitCode.USAGE, str(first), "--definitions", remedy) from error


def case_id(connection: Connection, case: str) -> UUID:
    """The id of a case that is called by its number or its id.

    Raises:
        CommandFailed: it is neither, or there is no case of that number.
    """
    if case.isascii() and case.isdigit() and len(case) <= 18:
        found = id_of(connection, int(case))
        if found is not None:
            return found
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")
    try:
        return UUID(case)
    except ValueError as error:
        remedy = "give its number, or its id as `govbus case list --json` shows it"
        raise CommandFailed(
            ExitCode.USAGE, f"{case!r} is neither number nor id of a case", "CASE", remedy
        ) from error
