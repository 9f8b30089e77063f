"""`govbus case list | due | sweep | check`: lists, what time has made due, and the proof of stored states."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from services.cli.case_opened import Folder, the_desk
from services.cli.case_view import breach_shape, line_shape, print_lines
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.cases.words import State
from services.control.clocks.calendar import civil_day
from services.control.desk.catalogued import StoredCalendars
from services.control.desk.sweep import sweep
from services.control.store.cases.checking import differences
from services.control.store.cases.listing import Wish, breaches, due, newest

Consumer = Annotated[str | None, typer.Option(help="Only of this applicant.")]
Provider = Annotated[str | None, typer.Option(help="Only of this provider.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
_OBLIGED = ("provider", "authority")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("list")(list_command)
    app.command("due")(due_command)
    app.command("sweep")(sweep_command)
    app.command("check")(check_command)


def list_command(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    consumer: Consumer = None,
    provider: Provider = None,
    before: Annotated[int | None, typer.Option(help="The last number of the page before.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List cases, the newest first."""
    wish = Wish(state=state, consumer=consumer, provider=provider)
    with open_control() as database, database.reading() as connection:
        lines = newest(connection, wish, before, limit)
    shapes = [line_shape(line) for line in lines]
    if wants_json(as_json, output):
        emit_json({"cases": shapes, "before": shapes[-1]["number"] if len(shapes) == limit else None})
    else:
        print_lines("Cases", shapes)


def due_command(
    days: Annotated[int | None, typer.Option(min=0, help="Only what is due within so many days.")] = None,
    due_from: Annotated[
        str | None, typer.Option("--from", help="Only duties of the provider, or of the authority.")
    ] = None,
    consumer: Consumer = None,
    provider: Provider = None,
    limit: Limit = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List what is due, the first day at the top, and what is overdue (exit code 1 if something is)."""
    if due_from is not None and due_from not in _OBLIGED:
        remedy = f"use one of: {', '.join(_OBLIGED)}"
        raise CommandFailed(ExitCode.USAGE, f"nobody is obliged as {due_from}", "--from", remedy)
    today = civil_day(datetime.now(UTC))
    until = None if days is None else today + timedelta(days=days)
    wish = Wish(consumer=consumer, provider=provider, due_from=due_from)
    with open_control() as database, database.reading() as connection:
        lines = due(connection, wish, until, limit=limit)
        overdue = breaches(connection, today, provider, limit)
    shapes, late = [line_shape(line) for line in lines], [breach_shape(each) for each in overdue]
    if wants_json(as_json, output):
        emit_json({"today": today.isoformat(), "due": shapes, "overdue": late})
    else:
        print_lines("Due", shapes)
        names = ("number", "provider", "stage", "obliged", "due_on")
        table("Overdue", names, [[each[name] for name in names] for each in late])
    if late:
        raise typer.Exit(ExitCode.NEGATIVE)


def sweep_command(definitions: Folder = None, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Do what time has made due: expire, report and escalate breaches, remind, count provisional days anew.

    The control process does it by itself every minute; run it where that one does not. Twice does no harm. A
    case that cannot be worked on is left out (exit code 1).
    """
    desk = the_desk(definitions)
    with open_control() as database:
        swept = asdict(sweep(desk, database, datetime.now(UTC)))
    swept["declined"] = [{"number": number, "why": why} for number, why in swept["declined"].items()]
    swept["failed"] = [{"case": str(case), "why": why} for case, why in swept["failed"].items()]
    if wants_json(as_json, output):
        emit_json(swept)
    else:
        table(
            "Swept",
            ("what", "how many"),
            [[name, each] for name, each in swept.items() if name not in ("declined", "failed")],
        )
        if swept["declined"]:
            rows = [[each["number"], each["why"]] for each in swept["declined"]]
            table("Not carried out", ("case", "why"), rows)
        if swept["failed"]:
            rows = [[each["case"], each["why"]] for each in swept["failed"]]
            table("Left out", ("case", "why"), rows)
    if swept["failed"]:
        raise typer.Exit(ExitCode.NEGATIVE)


def check_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Prove that what is stored of every case is what its events come to (exit code 1 if not)."""
    with open_control() as database, database.reading() as connection:
        found = list(differences(connection, StoredCalendars().current(connection)))
    shapes = [asdict(each) for each in found]
    if wants_json(as_json, output):
        emit_json({"differences": shapes})
    else:
        table("Differences", ("case", "where", "stored", "folded"), [list(each.values()) for each in shapes])
    if found:
        raise typer.Exit(ExitCode.NEGATIVE)
