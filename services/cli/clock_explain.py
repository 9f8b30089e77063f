"""`govbus clock explain`: why each date of a case is what it is, by article."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli.case_opened import case_id
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.docket.explaining import explanation
from services.control.store.cases.reading import load
from services.control.store.clocks.calendars import read_calendar


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain_command)


def explain_command(
    case: Annotated[str, typer.Argument(help="The number of the case, or its id.")],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Say why each date of a case is what it is: which rule, from which article, counted from when.

    Exit codes: 0 explained, 1 there is no such case.
    """
    with open_control() as database, database.reading() as connection:
        filed = load(connection, case_id(connection, case))
        if filed is None:
            raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")
        told = explanation(filed, read_calendar(connection), datetime.now(UTC))
    if wants_json(as_json, output):
        emit_json(told)
    else:
        _print(told)


def _print(told: dict[str, Any]) -> None:
    rows: list[list[Any]] = []
    for clock in told["clocks"]:
        ended = "" if clock["ended"] is None else f"{clock['ended']['action']} {clock['ended']['at']}"
        begun = f"{clock['begun']['action']} {clock['begun']['at']}"
        due = f"{clock['due'] or 'stands still'}{' (provisional)' if clock['provisional'] else ''}"
        rows.append([clock["stage"], clock["rule"], clock["because"], begun, due, clock["state"], ended])
        if clock["extended"] is not None:
            more = clock["extended"]
            rows.append(["extended", f"{more['days']} days more", more["approver"], more["at"], "", "", ""])
        rows += [
            [f"not {each['pack']}", each["rule"], each["because"], "", "", each["why"], ""]
            for each in clock["over"]
        ]
    columns = ("stage", "rule", "because", "begun", "due", "standing", "ended")
    table(f"Case {told['number']} ({told['state']})", columns, rows)
    if told["ends_on"]:
        typer.echo(f"what was approved ends on {told['ends_on']}")
