"""`govbus catalogue objection make | list | show | step`: answers to who objects how an entry is opened."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    plain,
    table,
    wants_json,
)
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Whose
from services.control.catalogue.entry import read_code
from services.control.clocks.calendar import Calendar
from services.control.objections.life import Refused
from services.control.objections.objection import Given, Opening
from services.control.objections.words import Action, State
from services.control.store.accounts.departments import ids_of
from services.control.store.catalogue.dossiers import by_code
from services.control.store.clocks.calendars import read_calendar
from services.control.store.ids import new_id
from services.control.store.objections import work
from services.control.store.objections.reading import Filed, Wish, listed, load

app = typer.Typer(help="Objections to how entries are opened, and their answers.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="The objection's number.")]
Why = Annotated[str, typer.Option("--why", help="What is said, in words.")]


@app.callback()
def objection() -> None:
    """Objections to how entries are opened, and their answers."""


@app.command("make")
def make_command(
    code: Annotated[str, typer.Argument(help="The code of a published entry, such as 3013205/000001.")],
    who: As,
    why: Why = "",
    reference: Annotated[
        str, typer.Option(help="The number of the public's letter, for the authority.")
    ] = "",
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Object to how an entry is opened, or that it is not (exit code 4 if a rule is against it)."""
    now, known = datetime.now(UTC), read_code(code)
    if known is None:
        remedy = "write it as 3013205/000001"
        raise CommandFailed(ExitCode.USAGE, f"{code} is no resource code", "CODE", remedy)
    with open_control() as database, database.begin() as connection:
        by, stored = acting(connection, who, Asked.OBJECTION_OBJECT), by_code(connection, known)
        if stored is None:
            raise CommandFailed(
                ExitCode.NEGATIVE, f"there is no entry {code}", "CODE", "`govbus catalogue list`"
            )
        dossier = stored.dossier
        version = dossier.published or dossier.versions[-1]
        provider = ids_of(connection, [dossier.department]).get(dossier.department, "")
        opening = Opening(new_id(now), by.actor, now, stored.id, version.entry.name, provider, why, reference)
        calendar, published = read_calendar(connection), dossier.published is not None
        done = work.receive(
            connection, opening, calendar, lambda: new_id(now), published=published, recorder=by.console
        )
    _answer(done, calendar, as_json=wants_json(as_json, output))


@app.command("list")
def list_command(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only on entries of this department.")] = None,
    before: Annotated[int | None, typer.Option(help="Go on below this number, for the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List objections, the newest first."""
    with open_control() as database, database.reading() as connection:
        calendar = read_calendar(connection)
        found = listed(connection, Wish(state, provider), before, limit)
    shapes = [_line(each, calendar) for each in found]
    if wants_json(as_json, output):
        emit_json({"objections": shapes})
        return
    columns = ("number", "state", "name", "provider", "department", "received_at", "due_on")
    table("Objections", columns, [[each[name] for name in columns] for each in shapes])


@app.command("show")
def show_command(number: Number, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show an objection with all that happened to it."""
    with open_control() as database, database.reading() as connection:
        filed, calendar = _found(load(connection, number), number), read_calendar(connection)
    whole = _whole(filed, calendar)
    if wants_json(as_json, output):
        emit_json(whole)
        return
    typer.echo(f"objection {number}: {whole['name']}, {whole['state']}, due on {whole['due_on'] or 'no day'}")
    typer.echo(f"{whole['department']} to {whole['provider']}: {whole['text']}")
    columns = ("number", "action", "department", "when", "text")
    table("What happened", columns, [[each[name] for name in columns] for each in whole["events"]])


@app.command("step")
def step_command(
    action: Annotated[Action, typer.Argument(help="What is done with it.")],
    number: Number,
    who: As,
    why: Why = "",
    basis: Annotated[str, typer.Option(help="With deny: document and article.")] = "",
    days: Annotated[int | None, typer.Option(min=1, help="With extend: how many working days more.")] = None,
    approver: Annotated[
        str, typer.Option(help="With extend: who has approved it, as the rule calls him.")
    ] = "",
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Answer an objection, extend its time once, or withdraw it (exit code 4 if refused)."""
    now, given = datetime.now(UTC), Given(why, basis, days, approver)
    with open_control() as database, database.begin() as connection:
        filed, calendar = _found(load(connection, number, lock=True), number), read_calendar(connection)
        by = acting(connection, who, Asked(f"objection.{action.value}"), _whose(filed))
        done = work.act(
            connection,
            filed,
            filed.version,
            action,
            by.actor,
            now,
            given,
            calendar,
            lambda: new_id(now),
            recorder=by.console,
        )
    _answer(done, calendar, as_json=wants_json(as_json, output))


def _answer(done: Filed | Refused, calendar: Calendar, *, as_json: bool) -> None:
    """Say what an order came to.

    Raises:
        typer.Exit: it was refused (exit code 4).
    """
    if as_json:
        whole = None if isinstance(done, Refused) else _whole(done, calendar)
        emit_json({"objection": whole, "problems": plain(done.problems) if isinstance(done, Refused) else []})
    elif isinstance(done, Filed):
        typer.echo(f"objection {done.number} is {done.objection.state}")
    else:
        rows = [(each.code, each.field, each.what, each.remedy) for each in done.problems]
        table("Refused", ("code", "field", "what", "what to do"), rows)
    if isinstance(done, Refused):
        raise typer.Exit(ExitCode.REFUSED)


def _whose(filed: Filed) -> Whose:
    """The departments of an objection: whose entry it is about, and who made it."""
    opening = filed.objection.opening
    return Whose(provider=opening.provider, consumer=opening.who.department)


def _found(filed: Filed | None, number: int) -> Filed:
    if filed is None:
        remedy = "`govbus catalogue objection list`"
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no objection {number}", "NUMBER", remedy)
    return filed


def _line(filed: Filed, calendar: Calendar) -> dict[str, Any]:
    """An objection of docs/cli/catalogue-objection-list.schema.json."""
    opening, due = filed.objection.opening, filed.due(calendar)
    source = None if filed.clock is None else filed.clock.source
    return {
        "number": filed.number,
        "version": filed.version,
        "state": filed.objection.state.value,
        "entry": str(opening.entry),
        "name": opening.name,
        "provider": opening.provider,
        "department": opening.who.department,
        "received_at": opening.when.isoformat(),
        "due_on": _day(None if due is None else due.day),
        "provisional": due is not None and due.provisional,
        "document": None if source is None else source.document,
        "article": None if source is None else source.article,
    }


def _whole(filed: Filed, calendar: Calendar) -> dict[str, Any]:
    """An objection of docs/cli/catalogue-objection-show.schema.json."""
    opening = filed.objection.opening
    return {
        **_line(filed, calendar),
        "text": opening.text,
        "reference": opening.reference,
        "events": [
            {
                "number": each.number,
                "action": each.action.value,
                "person": each.who.person,
                "role": each.who.role.value,
                "department": each.who.department,
                "when": each.when.isoformat(),
                "text": each.given.text,
                "basis": each.given.basis,
                "days": each.given.days,
                "approver": each.given.approver,
            }
            for each in filed.objection.events
        ],
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
