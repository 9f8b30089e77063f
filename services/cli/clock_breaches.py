"""`govbus clock breaches`: duties that are overdue, each with who is late, by which article, how late."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli.control import open_control
from services.cli.output import ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.store.breaches import Breach, Kind, Wish, breaches
from services.control.store.clocks.calendars import read_calendar


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("breaches")(breaches_command)


def breaches_command(
    kind: Annotated[Kind | None, typer.Option(help="Only on this.")] = None,
    department: Annotated[str | None, typer.Option(help="Only where this department is late.")] = None,
    done: Annotated[bool, typer.Option("--done", help="Also what was done after all, too late.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 100,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List duties that are overdue, whatever they are on (exit code 1 if there are any)."""
    now = datetime.now(UTC)
    with open_control() as database, database.reading() as connection:
        calendar = read_calendar(connection)
        wish = Wish(kind=kind, department=department, done=done)
        found, total = breaches(connection, calendar, now, wish, limit=limit)
    shapes = [_shape(each) for each in found]
    if wants_json(as_json, output):
        emit_json({"breaches": shapes, "total": total})
    else:
        columns = ("number", "kind", "name", "department", "stage", "article", "due_on", "days_late")
        table("Not done in time", columns, [[each[name] for name in columns] for each in shapes])
    if found:
        raise typer.Exit(ExitCode.NEGATIVE)


def _shape(breach: Breach) -> dict[str, Any]:
    """A breach of docs/cli/clock-breaches.schema.json."""
    source = breach.source
    return {
        "kind": breach.kind.value,
        "id": str(breach.id),
        "number": breach.number,
        "name": breach.name,
        "department": breach.department,
        "obliged": breach.obliged,
        "provider": breach.provider,
        "consumer": breach.consumer,
        "key": breach.key,
        "stage": breach.stage,
        "due_on": breach.due_on.isoformat(),
        "provisional": breach.provisional,
        "done_on": None if breach.done_on is None else breach.done_on.isoformat(),
        "days_late": breach.days_late,
        "document": None if source is None else source.document,
        "article": None if source is None else source.article,
    }
