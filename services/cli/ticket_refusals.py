"""`govbus ticket refusals`: refusals to correct a record, with what came of each."""

from typing import Annotated, Any

import typer

from services.cli.control import open_control
from services.cli.output import Form, Format, Json, emit_json, table, wants_json
from services.control.store.tickets.refusals import Outcome, RefusalLine, Wish, refusals


def refusals_command(
    provider: Annotated[str | None, typer.Option(help="Only of this department.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only what came to this.")] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List refusals to correct a record, the newest first, with what came of each."""
    with open_control() as database, database.reading() as connection:
        rows = [_shape(each) for each in refusals(connection, Wish(provider, outcome))]
    if wants_json(as_json, output):
        emit_json({"refusals": rows})
    else:
        columns = ("number", "provider", "reporter", "resource", "reason", "outcome", "refused")
        table("Refusals to correct", columns, [[row[name] for name in columns] for row in rows])


def _shape(line: RefusalLine) -> dict[str, Any]:
    """A refusal of docs/cli/ticket-refusals.schema.json."""
    return {
        "number": line.number,
        "provider": line.provider,
        "reporter": line.reporter,
        "resource": line.resource,
        "refused": line.refused_at.isoformat(),
        "reason": line.reason.value,
        "outcome": line.outcome.value,
    }
