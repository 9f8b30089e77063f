"""`govbus notice addresses | add | rotate | remove`: where a department's notices go besides the inbox."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from services.api.wiring import means_on
from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.notices.retrying import Failure, Never, NotNow
from services.control.notices.signature import secret_of
from services.control.notices.words import Language
from services.control.sending.courier import Means
from services.control.sending.webhook import judged
from services.control.store.notices import addresses
from services.control.store.notices.addresses import CorrectAddress, KnownAddress
from services.control.store.notices.tables import Way
from services.stack.api import Stack
from services.stack.settings import StackSettings

app = typer.Typer(help="Where notices go: mailboxes and endpoints of departments.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="Its number in `govbus notice addresses`.")]
_WHY: dict[Failure, tuple[str, str]] = {
    Failure.ADDRESS_MALFORMED: (
        "this is no endpoint",
        "give https://host/path, without user or fragment",
    ),
    Failure.ADDRESS_FORBIDDEN: (
        "it leads into a network that must not be reached",
        "give a public address, or let GOVBUS_NOTICE_WEBHOOK_ALLOW name the network",
    ),
    Failure.NAME_UNKNOWN: ("the name of its host has no address", "correct the name of the host"),
}


@app.callback()
def notice() -> None:
    """Where notices go: mailboxes and endpoints of departments."""


@app.command("addresses")
def addresses_command(
    department: Annotated[str, typer.Argument(help="The id of the department.")],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List the mailboxes and endpoints of a department, those that were switched off too."""
    with open_control() as database, database.reading() as connection:
        found = addresses.of_department(connection, department)
    if wants_json(as_json, output):
        emit_json({"addresses": [_shape(each) for each in found]})
        return
    columns = ("number", "way", "target", "language", "active")
    table("Addresses of notices", columns, [[_shape(each)[name] for name in columns] for each in found])


@app.command("add")
def add_command(
    way: Annotated[Way, typer.Argument(help="A mailbox, or an endpoint of a program.")],
    target: Annotated[str, typer.Argument(help="name@host, or https://host/path.")],
    who: As,
    language: Annotated[Language, typer.Option(help="In which language letters are.")] = Language.ZH,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Add an address of the account's own department; the secret of an endpoint is shown this once."""
    now, means = datetime.now(UTC), _means() if way is Way.WEBHOOK else None
    if means is not None:
        _judge(target, means)
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.NOTICE_SET_ADDRESS)
        try:
            found = addresses.add(
                connection,
                by.person.department,
                way,
                target,
                language,
                who=by.id,
                now=now,
                plain=means is not None and means.reach.plain,
                recorder=by.console,
            )
        except CorrectAddress as error:
            what, _, remedy = str(error).partition(": ")
            raise CommandFailed(ExitCode.REFUSED, what, "TARGET", remedy or "use another") from error
    _answer(found, means, as_json=wants_json(as_json, output))


@app.command("rotate")
def rotate_command(number: Number, who: As, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Give an endpoint a new secret, shown this once; the one before stays valid for a week."""
    means = _means()
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.NOTICE_SET_ADDRESS, _whose(connection, number))
        found = addresses.rotate(connection, number, who=by.id, now=datetime.now(UTC), recorder=by.console)
    if found is None:
        what, remedy = f"{number} is no endpoint that is on", "`govbus notice addresses DEPARTMENT`"
        raise CommandFailed(ExitCode.NEGATIVE, what, "NUMBER", remedy)
    _answer(found, means, as_json=wants_json(as_json, output))


@app.command("remove")
def remove_command(number: Number, who: As, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Send nothing to an address any more (exit code 1 if it was off already)."""
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.NOTICE_MEND_DELIVERY, _whose(connection, number))
        was_on = addresses.switch_off(
            connection, number, who=by.id, now=datetime.now(UTC), recorder=by.console
        )
        found = addresses.one(connection, number)
    if found is not None:
        _answer(found, None, as_json=wants_json(as_json, output))
    if not was_on:
        raise typer.Exit(ExitCode.NEGATIVE)


def _answer(found: KnownAddress, means: Means | None, *, as_json: bool) -> None:
    secret = "" if means is None else secret_of(means.master, found.id, found.secrets.current)
    if as_json:
        emit_json({"address": _shape(found), "secret": secret or None})
        return
    typer.echo(f"{found.id}: {found.way.value} {found.target}, {'on' if found.active else 'switched off'}")
    if secret:
        typer.echo(f"its secret, shown this once: {secret}")


def _shape(found: KnownAddress) -> dict[str, Any]:
    """An address of docs/cli/notice-addresses.schema.json."""
    return {
        "number": found.id,
        "department": found.department,
        "way": found.way.value,
        "target": found.target,
        "language": found.language.value,
        "active": found.active,
        "secret_version": found.secrets.current,
    }


def _whose(connection: Connection, number: int) -> Whose:
    found = addresses.one(connection, number)
    if found is None:
        what, remedy = f"there is no address {number}", "`govbus notice addresses DEPARTMENT`"
        raise CommandFailed(ExitCode.NEGATIVE, what, "NUMBER", remedy)
    return Whose(found.department, found.department)


def _means() -> Means:
    found = means_on(Stack(StackSettings.from_environment()))
    if found is None:
        what, remedy = "there is no secret that endpoints are signed with", "`govbus up` makes it"
        raise CommandFailed(ExitCode.UNAVAILABLE, what, "", remedy)
    return found


def _judge(target: str, means: Means) -> None:
    """An endpoint is judged as it is when something is sent there.

    Raises:
        CommandFailed: it is none, or may not be reached.
    """
    match judged(target, means.reach, means.lookup):
        case Never(failure=failure) | NotNow(failure=failure):
            what, remedy = _WHY.get(failure, (failure.value, "give another address"))
            raise CommandFailed(ExitCode.REFUSED, what, "TARGET", remedy)
