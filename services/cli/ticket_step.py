"""`govbus ticket step`: what the reporter, and the body that rules on a dispute, do with a ticket."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from services.cli import bus
from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, wants_json
from services.cli.ticket_desk import (
    desk_of,
    evidence_of,
    master_secrets,
    reported_record,
    ticket_id,
)
from services.cli.ticket_view import Stepped, answer_step
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Whose
from services.control.store.clocks.calendars import read_calendar
from services.control.store.tickets.reading import Filed, load
from services.control.store.tickets.work import act
from services.control.tickets.evidence import Reported
from services.control.tickets.ticket import Given
from services.control.tickets.words import Action, RefusalReason

Number = Annotated[int, typer.Argument(help="The ticket's number.")]
Seen = Annotated[
    int | None,
    typer.Option("--version", help="The version that was looked at; refused if it moved since."),
]
Key = Annotated[str | None, typer.Option(help="A key of your own: given again, nothing is done twice.")]
Why = Annotated[str, typer.Option("--why", help="What is said, in words; only the parties read it.")]


class Step(StrEnum):
    """What can be done; each needs its role."""

    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    REOPEN = "reopen"
    UPHOLD = "uphold"
    DISMISS = "dismiss"


def step_command(
    number: Number,
    step: Annotated[Step, typer.Argument(help="The reporter's steps, or uphold and dismiss of who rules.")],
    who: As,
    why: Why = "",
    evidence: Annotated[list[Path] | None, typer.Option(help="One more file that shows it.")] = None,
    at: Annotated[
        str | None, typer.Option(help="With reopen: the coordinate of the version that is still wrong.")
    ] = None,
    reason: Annotated[RefusalReason | None, typer.Option(help="With dismiss: why.")] = None,
    acceptable_if: Annotated[str, typer.Option(help="With dismiss: what would change it.")] = "",
    version: Seen = None,
    key: Key = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Supplement, withdraw, escalate or reopen a report; or rule on one (exit code 4 if refused)."""
    given = Given(
        text=why,
        refusal_reason=reason,
        acceptable_if=acceptable_if,
        evidence=tuple(map(evidence_of, evidence or ())),
        reported=_again(number, at, who) if step is Step.REOPEN else None,
    )
    stepped = take(number, Action(step.value), who, given, version, key)
    answer_step(stepped, as_json=wants_json(as_json, output))


def take(
    number: int, action: Action, login: str, given: Given, version: int | None, key: str | None
) -> Stepped:
    """Take an action on a ticket by its number, as an account that may.

    Raises:
        CommandFailed: there is none of that number, or the account may not.
        ReadAgain: it has moved since the version that was seen.
    """
    with open_control() as database, database.begin() as connection:
        filed = loaded(load(connection, ticket_id(connection, number), lock=True), number)
        who = acting(connection, login, Asked(f"ticket.{action.value}"), whose(filed))
        desk = desk_of(who.console, datetime.now(UTC), read_calendar(connection), key)
        # At the command line, what is not said to have been seen is what is there now.
        seen = filed.version if version is None else version
        return act(connection, desk, UUID(filed.ticket.opening.id), seen, action, who.actor, given)


def whose(filed: Filed) -> Whose:
    """The departments of a ticket: who provides the record, and who reported it."""
    opening = filed.ticket.opening
    return Whose(provider=opening.provider, consumer=opening.reporter.department)


def loaded(filed: Filed | None, number: int) -> Filed:
    """The ticket, or the error that says that there is none.

    Raises:
        CommandFailed: there is none.
    """
    if filed is None:
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no ticket {number}", "NUMBER", "list them first")
    return filed


def _again(number: int, at: str | None, login: str) -> Reported:
    """The version that is still wrong, about the same items as before."""
    if at is None:
        raise CommandFailed(ExitCode.USAGE, "no version is named", "--at", "name the one that is still wrong")
    with open_control() as database, database.begin() as connection:
        filed = loaded(load(connection, ticket_id(connection, number)), number)
        acting(connection, login, Asked.TICKET_REOPEN, whose(filed))
    items: Sequence[str] = [item for item, _ in filed.ticket.reported.contested.values]
    with bus.open_bus() as opened:
        return reported_record(opened.lookup, at, items, master_secrets(opened.lookup))
