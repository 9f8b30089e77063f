"""How tickets are answered at the command line: JSON of the documented shapes, or tables."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import typer

from services.cli.output import ExitCode, emit_json, note, plain, table
from services.cli.ticket_sending import Sent
from services.control.cases.words import Actor
from services.control.clocks.calendar import Calendar
from services.control.store.tickets.reading import Filed, TicketLine
from services.control.store.tickets.work import Answer
from services.control.tickets.life import Refused
from services.control.tickets.shown import shown
from services.control.tickets.wording import title

Stepped = Answer | Refused


def answer_step(stepped: Stepped, *, as_json: bool) -> None:
    """Say what an order came to.

    Raises:
        typer.Exit: it was refused (exit code 4).
    """
    row = step_row(stepped)
    if as_json:
        emit_json(row)
    elif isinstance(stepped, Answer):
        typer.echo(f"ticket {stepped.number} is {stepped.state} (version {stepped.version})")
    else:
        rows = [[each.code, each.field, each.what, each.remedy] for each in stepped.problems]
        table("Refused", ["code", "field", "what", "what to do"], rows)
    if isinstance(stepped, Refused):
        raise typer.Exit(ExitCode.REFUSED)


def step_row(stepped: Stepped) -> dict[str, Any]:
    """An answer of docs/cli/ticket-step.schema.json."""
    if isinstance(stepped, Answer):
        return {"ticket": plain(stepped), "problems": []}
    return {"ticket": None, "problems": plain(stepped.problems)}


def answer_followed(steps: Sequence[Stepped], sent: Sent, *, as_json: bool) -> None:
    """Say which tickets moved; a step that was refused is told, and holds back no other ticket."""
    if as_json:
        emit_json({"steps": [step_row(each) for each in steps], "marks": plain(sent)})
        return
    rows = [
        [each.number, each.state, each.version]
        if isinstance(each, Answer)
        else ["", "refused", "; ".join(problem.what for problem in each.problems)]
        for each in steps
    ]
    table("Tickets that moved", ["ticket", "state", "version"], rows)
    if sent.count:
        typer.echo(f"{sent.count} changes of the disputes are sent")
    if sent.problem is not None:
        note(f"marks wait: {sent.problem}")


def answer_shown(filed: Filed, actor: Actor, calendar: Calendar, now: datetime, *, as_json: bool) -> None:
    """Show one ticket."""
    view = {"number": filed.number, **shown(filed.ticket, actor, calendar, now)}
    if as_json:
        emit_json(view)
        return
    state = title(filed.ticket.state)
    typer.echo(
        f"ticket {filed.number}: {state.en} {state.zh}, version {filed.version}, record at {view['at']}"
    )
    _print(view, "clocks", ["duty", "state", "due", "remaining", "breached"])
    _print(
        view, "recipients", ["consumer", "grant", "generation", "at", "effect", "certain", "block", "told"]
    )
    _print(view, "events", ["number", "action", "department", "when", "text", "refusal_reason", "at"])


def answer_listed(lines: Sequence[TicketLine], today: date, *, as_json: bool) -> None:
    """List tickets."""
    rows = [list_row(each, today) for each in lines]
    if as_json:
        emit_json({"tickets": rows})
        return
    names = ["number", "state", "reporter", "provider", "resource", "due_on", "due_for", "overdue"]
    table("Tickets", names, [[row[name] for name in names] for row in rows])


def list_row(line: TicketLine, today: date) -> dict[str, Any]:
    """A ticket of docs/cli/ticket-list.schema.json."""
    overdue = line.due_on is not None and line.due_on < today
    return {
        "id": str(line.id),
        "number": line.number,
        "state": line.state.value,
        "version": line.version,
        "reporter": line.reporter,
        "provider": line.provider,
        "resource": line.resource,
        "record": line.record,
        "opened": line.opened_at.isoformat(),
        "moved": line.moved_at.isoformat(),
        "due_on": None if line.due_on is None else line.due_on.isoformat(),
        "due_for": None if line.due_for is None else line.due_for.value,
        "due_provisional": line.due_provisional,
        "overdue": overdue,
    }


def _print(view: dict[str, Any], name: str, columns: list[str]) -> None:
    table(name.capitalize(), columns, [[row[column] for column in columns] for row in view[name]])
