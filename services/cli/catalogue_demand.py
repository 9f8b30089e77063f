"""`govbus catalogue demand state | list | needs | show | step`: which data is needed, what comes of it."""

from datetime import UTC, datetime
from functools import partial
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
from services.control.catalogue.entry import ResourceCode, read_code
from services.control.demand.life import Refused
from services.control.demand.merging import Demanded, NeedLine, demand_list
from services.control.demand.need import Given, Opening
from services.control.demand.words import Action, DeclineReason, State
from services.control.store.demand import work
from services.control.store.demand.reading import Filed, Wish, listed, load, stated
from services.control.store.ids import new_id

app = typer.Typer(help="Which data departments need, and what comes of it.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="The need's number.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="The code of a published entry.")]


@app.callback()
def demand() -> None:
    """Which data departments need, and what comes of it."""


@app.command("state")
def state_command(
    subject: Annotated[str, typer.Argument(help="Which data is needed.")],
    who: As,
    scenario: Annotated[str, typer.Option(help="What it is needed for.")],
    basis: Annotated[str, typer.Option(help="The document that gives the duty.")],
    article: Annotated[str, typer.Option(help="Its article.")] = "",
    item: Annotated[
        list[str] | None, typer.Option(help="An item that is needed; may be given again.")
    ] = None,
    code: CodeOption = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """State a need; with --code it is about an entry that is there (exit code 4 if a rule is against it)."""
    now, about, items = datetime.now(UTC), _code(code), tuple(item or ())
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Asked.DEMAND_STATE)
        opening = Opening(new_id(now), by.actor, now, subject, items, scenario, basis, article, about)
        done = work.state(connection, opening, lambda: new_id(now), by.console)
    _answer_step(done, as_json=wants_json(as_json, output))


@app.command("list")
def list_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """List what departments need, merged for each resource and item, with who and why."""
    with open_control() as database, database.reading() as connection:
        found = demand_list(stated(connection))
    if wants_json(as_json, output):
        emit_json({"demand": [_demanded(each) for each in found]})
        return
    rows = [
        (
            each.subject,
            ", ".join(each.departments),
            each.code or ", ".join(each.assigned_to) or "nobody yet",
            ", ".join(f"{one.item} ({len(one.departments)})" for one in each.items),
        )
        for each in found
    ]
    table("What is needed", ("data", "needed by", "from", "items"), rows)


@app.command("needs")
def needs_command(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    department: Annotated[str | None, typer.Option(help="Only stated by this department.")] = None,
    assigned_to: Annotated[str | None, typer.Option(help="Only assigned to this department.")] = None,
    before: Annotated[int | None, typer.Option(help="Go on below this number, for the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List needs one by one, the newest first."""
    with open_control() as database, database.reading() as connection:
        found = listed(connection, Wish(state, department, assigned_to), before, limit)
    if wants_json(as_json, output):
        emit_json({"needs": [_line(each) for each in found]})
        return
    columns = ("number", "data", "state", "needed by", "assigned to", "code", "answer")
    rows = [
        (each.number, each.subject, each.state, each.department, each.assigned_to, each.code, _answer(each))
        for each in found
    ]
    table("Needs", columns, rows)


@app.command("show")
def show_command(number: Number, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show a need with all that happened to it."""
    with open_control() as database, database.reading() as connection:
        filed = _found(load(connection, number), number)
    if wants_json(as_json, output):
        emit_json(_whole(filed))
        return
    need = filed.need
    typer.echo(f"need {number}: {need.subject}, {need.state}, of {need.opening.who.department}")
    typer.echo(f"for {need.opening.scenario}; by {need.opening.basis_document} {need.opening.basis_article}")
    columns = ("number", "action", "department", "when", "text")
    rows = [
        (each.number, each.action, each.who.department, each.when.isoformat(), each.given.text)
        for each in need.events
    ]
    table("What happened", columns, rows)


@app.command("step")
def step_command(
    action: Annotated[Action, typer.Argument(help="What is done with it.")],
    number: Number,
    who: As,
    to: Annotated[str, typer.Option(help="With assign: the department that is to describe the data.")] = "",
    name: Annotated[str, typer.Option("--name", help="With assign: under which name needs are merged.")] = "",
    reason: Annotated[DeclineReason | None, typer.Option(help="With decline: why not.")] = None,
    why: Annotated[str, typer.Option(help="What is said to it.")] = "",
    code: CodeOption = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take a need a step further: assigned, answered, or made into a draft (exit code 4 if refused)."""
    now, given = datetime.now(UTC), Given(why, reason, to, name, _code(code))
    with open_control() as database, database.begin() as connection:
        filed = _found(load(connection, number, lock=True), number)
        by, seen = acting(connection, who, Asked(f"demand.{action.value}"), _whose(filed)), filed.version
        ids = partial(new_id, now)
        if action is Action.DRAFT:
            done = work.draft(connection, filed, seen, by.actor, now, ids, by.console)
        else:
            done = work.act(connection, filed, seen, action, by.actor, now, given, ids, by.console)
    _answer_step(done, as_json=wants_json(as_json, output))


def _answer_step(done: Filed | Refused, *, as_json: bool) -> None:
    """Say what an order came to.

    Raises:
        typer.Exit: it was refused (exit code 4).
    """
    if as_json:
        need = None if isinstance(done, Refused) else _whole(done)
        emit_json({"need": need, "problems": plain(done.problems) if isinstance(done, Refused) else []})
    elif isinstance(done, Filed):
        typer.echo(f"need {done.number} is {done.need.state}")
    else:
        rows = [(each.code, each.field, each.what, each.remedy) for each in done.problems]
        table("Refused", ("code", "field", "what", "what to do"), rows)
    if isinstance(done, Refused):
        raise typer.Exit(ExitCode.REFUSED)


def _whose(filed: Filed) -> Whose:
    """The departments of a need: whom it is assigned to, and who stated it."""
    return Whose(provider=filed.need.assigned_to, consumer=filed.need.opening.who.department)


def _found(filed: Filed | None, number: int) -> Filed:
    if filed is None:
        remedy = "`govbus catalogue demand needs` lists them"
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no need {number}", "NUMBER", remedy)
    return filed


def _code(text: str | None) -> ResourceCode | None:
    code = None if text is None else read_code(text)
    if text is not None and code is None:
        raise CommandFailed(
            ExitCode.USAGE, f"{text} is no resource code", "--code", "write it as 3013205/000001"
        )
    return code


def _answer(need: NeedLine) -> str:
    return "" if need.reason is None else f"{need.reason}: {need.answer}"


def _demanded(each: Demanded) -> dict[str, Any]:
    """A demand of docs/cli/catalogue-demand-list.schema.json."""
    return {
        "subject": each.subject,
        "code": each.code,
        "published": each.published,
        "assigned_to": each.assigned_to,
        "departments": each.departments,
        "items": [{"item": one.item, "departments": one.departments} for one in each.items],
        "needs": [_line(one) for one in each.needs],
    }


def _line(need: NeedLine) -> dict[str, Any]:
    """A need of docs/cli/catalogue-demand-needs.schema.json."""
    return {
        **plain(need),
        "id": str(need.id),
        "stated_at": need.stated_at.isoformat(),
        "moved_at": need.moved_at.isoformat(),
    }


def _whole(filed: Filed) -> dict[str, Any]:
    """A need of docs/cli/catalogue-demand-show.schema.json."""
    need, opening = filed.need, filed.need.opening
    return {
        "number": filed.number,
        "version": filed.version,
        "department": opening.who.department,
        "stated_at": opening.when.isoformat(),
        "subject": need.subject,
        "items": opening.items,
        "scenario": opening.scenario,
        "basis_document": opening.basis_document,
        "basis_article": opening.basis_article,
        "state": need.state.value,
        "assigned_to": need.assigned_to,
        "code": None if need.code is None else str(need.code),
        "entry": None if need.entry is None else str(need.entry),
        "events": [
            {
                "number": each.number,
                "action": each.action.value,
                "person": each.who.person,
                "role": each.who.role.value,
                "department": each.who.department,
                "when": each.when.isoformat(),
                "text": each.given.text,
                "reason": None if each.given.reason is None else each.given.reason.value,
                "assigned_to": each.given.department,
                "code": None if each.given.code is None else str(each.given.code),
            }
            for each in need.events
        ],
    }
