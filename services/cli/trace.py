"""`govbus trace`: who received what about a person, when, under which grant and purpose; recorded first."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Final

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
    note,
    table,
    wants_json,
)
from services.cli.reveal import required_reason
from services.control.accounts.actions import Action
from services.control.accounts.roles import Role
from services.control.process.tracing.on_stack import key_of
from services.control.store.database import ControlDatabase
from services.control.tracing.answer import Link, Trace, Why
from services.control.tracing.looking import MOST, Looker, NoIdentity, Person, look, normalised
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.identity.kinds import IdentityKind
from topics.quality.values import CIVIL_TIME

_EMPTY: Final = {
    Why.NOT_BEGUN: "the index was not begun: the control process makes it (`govbus run control`)",
    Why.UNKNOWN_SUBJECT: "no record about this person came to the bus in the time that the index covers",
    Why.NOBODY_RECEIVED: "there are records about this person, and nobody received one of them",
    Why.NOT_YOURS: "your department provided no record about this person",
}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("trace")(trace_command)


def trace_command(
    person: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What identifies the person: resident_id, passport, credit_code … The number is asked for, "
            "or read from standard input, so that no list of processes and no history of a shell holds it.",
        ),
    ],
    who: As,
    why: Annotated[
        str | None, typer.Option("--reason", "--why", help="Why you look; it is kept with your name.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Three-letter code of the state that issued a passport.")
    ] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show so many at most.")] = MOST,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show who received what about a person, when, under which grant and purpose; recorded first.

    Ends with 0 where somebody received something, with 1 where nobody did.
    """
    kind, reason = _kind(person), required_reason(why)
    now = datetime.now(UTC)
    with open_control() as database:
        looker = _looker(database, who, reason)
        identity = _identity(Person(kind, _number(kind), country))
        stack = Stack(StackSettings.from_environment())
        found = look(database, identity, looker, key_of(stack), now, most)
    if wants_json(as_json, output):
        emit_json(shape(found))
    else:
        _print(found)
    raise typer.Exit(ExitCode.OK if found.recipients else ExitCode.NEGATIVE)


def _kind(text: str) -> IdentityKind:
    kind, colon, _ = text.partition(":")
    if colon:
        raise CommandFailed(
            ExitCode.USAGE,
            "the number does not belong on the command line: others can read it there",
            "--person",
            "give the kind alone; the number is asked for, or read from standard input",
        )
    try:
        return IdentityKind(kind)
    except ValueError as error:
        remedy = f"use one of: {', '.join(sorted(each.value for each in IdentityKind))}"
        raise CommandFailed(
            ExitCode.USAGE, "there is no such kind of identity", "--person", remedy
        ) from error


def _looker(database: ControlDatabase, login: str, reason: str) -> Looker:
    """Who looks, if it may; a provider sees what became of its own records only."""
    with database.begin() as connection:
        allowed = acting(connection, login, Action.AUDIT_TRACE)
    department = allowed.person.department
    facts = (("for", allowed.id), ("role", allowed.role.value), ("department", department))
    own = department if allowed.role is Role.PROVIDER else None
    return Looker(allowed.console, reason, facts, own)


def _number(kind: IdentityKind) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(f"{kind.value}", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


def _identity(person: Person) -> str:
    # The gate's own day, wherever this runs.
    try:
        return normalised(person, datetime.now(CIVIL_TIME).date())
    except NoIdentity as error:
        remedy = "compare with the document; `govbus identity check` says more"
        raise CommandFailed(ExitCode.USAGE, str(error), "--person", remedy) from error


def shape(found: Trace) -> dict[str, Any]:
    """The answer as docs/cli/trace.schema.json describes it."""
    return {
        "subject": found.subject,
        "complete_until": _moment(found.extent.complete_until),
        "incomplete_before": _moment(found.extent.incomplete_before),
        "untraceable": found.extent.untraceable,
        "why_empty": None if found.why_empty is None else found.why_empty.value,
        "cut": found.cut,
        "records": [
            {
                "resource": each.resource,
                "at": each.at,
                "at_ms": each.at_ms,
                "withdrawn": each.withdrawn,
                "link": each.link.value,
            }
            for each in found.records
        ],
        "recipients": [
            {
                "consumer": each.consumer,
                "grant": each.grant,
                "generation": each.generation,
                "provider": each.provider,
                "resource": each.resource,
                "purpose": each.purpose,
                "legal_basis": each.legal_basis,
                "policy_version": each.policy_version,
                "outcome": "delivered" if each.delivered else "tombstoned",
                "at": each.at,
                "at_ms": each.at_ms,
                "canonical": each.canonical,
                "link": each.link.value,
                "acquired_by": _moment(each.acquired_by),
            }
            for each in found.recipients
        ],
    }


def _print(found: Trace) -> None:
    rows = [
        (
            each.at,
            each.consumer,
            f"{each.grant}@{each.generation}",
            each.resource,
            each.purpose,
            each.legal_basis,
            ("delivered" if each.delivered else "removed"),
            _time(each.at_ms),
            _moment(each.acquired_by) or "not seen",
            "" if each.link is Link.OWN else "by correction",
        )
        for each in found.recipients
    ]
    columns = ["record", "consumer", "grant", "resource", "purpose", "legal basis", "outcome", "written"]
    table("Received", [*columns, "acquired by", "number"], rows)
    if found.why_empty is not None:
        typer.echo(_EMPTY[found.why_empty])
    if found.cut:
        note("there are more than are shown: raise --limit")
    for text in extent_notes(found):
        note(text)
    note(f"this look stands in the ledger as {found.subject}")


def extent_notes(found: Trace) -> list[str]:
    """Of which time the answer says everything, in words."""
    extent, notes = found.extent, []
    if extent.complete_until is None:
        notes.append("the index is not complete yet: it says who received something, and not who did not")
    else:
        notes.append(f"complete until {_moment(extent.complete_until)}")
    if extent.incomplete_before is not None:
        notes.append(f"what was written before {_moment(extent.incomplete_before)} may be missing")
    if extent.untraceable:
        notes.append(f"{extent.untraceable} records of the bus say of nobody whom they are about")
    return notes


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
