"""`govbus ticket report | dispatch | decide | confirm | step | follow | show | list`: problem data."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli import bus
from services.cli.acting import As, AsOrNobody, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, wants_json
from services.cli.ticket_desk import (
    desk_of,
    evidence_of,
    keep_files,
    master_secrets,
    reported_record,
    rules_of,
    ticket_id,
)
from services.cli.ticket_reader import reader
from services.cli.ticket_refusals import refusals_command
from services.cli.ticket_sending import send_marks
from services.cli.ticket_step import Key, Number, Seen, Why, loaded, step_command, take
from services.cli.ticket_view import (
    Stepped,
    answer_followed,
    answer_listed,
    answer_shown,
    answer_step,
)
from services.control.accounts.actions import Action as Asked
from services.control.process.ticket_following import Receivers, follow_ticket, look_at
from services.control.store.clocks.calendars import read_calendar
from services.control.store.tickets.reading import Wish, listed, load, watched
from services.control.store.tickets.work import take_report
from services.control.tickets.following import WATCHED
from services.control.tickets.ticket import Given, Opening
from services.control.tickets.words import Action, RefusalReason, State
from topics.quality.values import CIVIL_TIME

app = typer.Typer(help="Report problem data, decide on it, and see who received it.", no_args_is_help=True)
app.command("step")(step_command)
app.command("refusals")(refusals_command)


@app.callback()
def ticket() -> None:
    """Report problem data, decide on it, and see who received it."""


@app.command("report")
def report_command(
    at: Annotated[
        str, typer.Option(help="The record's coordinate, in your grant's topic or the canonical one.")
    ],
    who: As,
    statement: Annotated[str, typer.Option(help="What is wrong, and what would be right.")],
    evidence: Annotated[list[Path], typer.Option(help="A file that shows it; up to 5 MB is kept.")],
    pack: Annotated[list[str], typer.Option(help="A policy pack whose times count; one of each level.")],
    item: Annotated[
        list[str] | None, typer.Option(help="An item that is wrong; without any, the record as a whole.")
    ] = None,
    ruled_by: Annotated[
        list[str] | None, typer.Option(help="A department that rules on disputes; the lowest level first.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Report a record as wrong: of it keyed hashes are kept, and what shows it (exit code 4 if refused)."""
    now, attached = datetime.now(UTC), tuple(map(evidence_of, evidence))
    with open_control() as database, database.reading() as connection:
        reporter = acting(connection, who, Asked.TICKET_REPORT)
    with bus.open_bus() as opened:
        reported = reported_record(opened.lookup, at, item or [], master_secrets(opened.lookup))
    with open_control() as database, database.begin() as connection:
        desk = desk_of(reporter.console, now, read_calendar(connection), key)
        opening = Opening(
            id=str(desk.new_id()),
            reporter=reporter.actor,
            when=now,
            reported=reported,
            statement=statement,
            evidence=attached,
            rules=rules_of(connection, pack, ruled_by or [], now),
        )
        answer = take_report(connection, desk, opening)
        keep_files(connection, answer, evidence, now)
    answer_step(answer, as_json=wants_json(as_json, output))


@app.command("dispatch")
def dispatch_command(
    number: Number,
    who: As,
    back: Annotated[
        bool, typer.Option("--return", help="Return it to the reporter for supplement instead.")
    ] = False,
    why: Why = "",
    version: Seen = None,
    key: Key = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """As the authority: give a report to its provider, or return it for supplement."""
    action = Action.RETURN if back else Action.DISPATCH
    stepped = take(number, action, who, Given(text=why), version, key)
    answer_step(stepped, as_json=wants_json(as_json, output))


@app.command("decide")
def decide_command(
    number: Number,
    who: As,
    accept: Annotated[
        bool, typer.Option("--accept", help="The record is wrong and will be corrected.")
    ] = False,
    refuse: Annotated[
        RefusalReason | None, typer.Option(help="Nothing is corrected, for this reason.")
    ] = None,
    why: Why = "",
    acceptable_if: Annotated[str, typer.Option(help="With --refuse: what would change the decision.")] = "",
    version: Seen = None,
    key: Key = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """As the provider: accept or refuse a report; what is accepted is corrected at the source."""
    if accept == (refuse is not None):
        raise CommandFailed(ExitCode.USAGE, "give either --accept or --refuse", "", "decide one way")
    action = Action.ACCEPT if accept else Action.REFUSE
    given = Given(text=why, refusal_reason=refuse, acceptable_if=acceptable_if)
    stepped = take(number, action, who, given, version, key)
    answer_step(stepped, as_json=wants_json(as_json, output))


@app.command("confirm")
def confirm_command(
    number: Number,
    who: As,
    version: Seen = None,
    key: Key = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """As the reporter: agree that the record is right now, or that a refusal is."""
    stepped = take(number, Action.CONFIRM, who, Given(), version, key)
    answer_step(stepped, as_json=wants_json(as_json, output))


@app.command("follow")
def follow_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Advance tickets by what has come through capture, ask the ledger who received what, send the marks."""
    steps: list[Stepped] = []
    with bus.open_bus() as opened, open_control() as database:
        secrets = master_secrets(opened.lookup)
        with database.begin() as connection:
            chosen = watched(connection, (State.REPORTED, *WATCHED))
            filed = {each: load(connection, each) for each in chosen}
        looks = {id_: look_at(each.ticket, opened.lookup, secrets) for id_, each in filed.items() if each}
        receivers = Receivers(opened.lookup, looks.values())
        for each, look in looks.items():
            with database.begin() as connection:
                desk = desk_of("control", datetime.now(UTC), read_calendar(connection), None)
                steps += follow_ticket(connection, desk, each, look, receivers)
        sent = send_marks(database)
    answer_followed(steps, sent, as_json=wants_json(as_json, output))
    if sent.problem is not None:
        raise typer.Exit(ExitCode.PENDING)


@app.command("show")
def show_command(
    number: Number,
    who: AsOrNobody = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show a ticket: its events, clocks, who received the wrong version and was told when.

    Texts are for the parties only: with --as, as far as that account may read them, which is recorded.
    """
    now = datetime.now(UTC)
    with open_control() as database, database.begin() as connection:
        filed = loaded(load(connection, ticket_id(connection, number), lock=True), number)
        actor = reader(connection, who, filed, now)
        calendar = read_calendar(connection)
    answer_shown(filed, actor, calendar, now, as_json=wants_json(as_json, output))


@app.command("list")
def list_command(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    reporter: Annotated[str | None, typer.Option(help="Only reported by this department.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only about records of this provider.")] = None,
    resource: Annotated[str | None, typer.Option(help="Only about records of this resource.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only where a duty is overdue today.")] = False,
    before: Annotated[int | None, typer.Option(help="Go on below this number, for the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List tickets, the newest first."""
    today = datetime.now(UTC).astimezone(CIVIL_TIME).date()
    wish = Wish(state, reporter, provider, resource, today if overdue else None)
    with open_control() as database, database.begin() as connection:
        found = listed(connection, wish, before, limit)
    answer_listed(found, today, as_json=wants_json(as_json, output))
