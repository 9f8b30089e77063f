"""`govbus credential …`: when departments' credentials end, and the code with which one fetches a new one."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli import bus
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
from services.control.credential_life import Credential
from services.control.provisioning.credential import order_rotation
from services.control.provisioning.ports import CannotProvide
from services.control.store.ids import new_id
from services.control.store.provisioning import credentials, pickups
from topics.event import ConsumerId

app = typer.Typer(help="Credentials of departments: when each ends, and a new one.", no_args_is_help=True)

Consumer = Annotated[str, typer.Argument(help="The department.")]
_COLUMNS = ("consumer", "version", "issued_at", "expires_at", "days_left", "standing", "code_until")


@app.callback()
def credential() -> None:
    """Credentials of departments: when each ends, and a new one."""


@app.command("list")
def list_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """List the newest credential of each department: when it ends, and whether a code is out."""
    now = datetime.now(UTC)
    with open_control() as database, database.reading() as connection:
        codes = pickups.waiting(connection, now)
        rows = [_row(each, codes, now) for each in credentials.listed(connection)]
    if wants_json(as_json, output):
        emit_json({"credentials": rows})
    else:
        table("Credentials", _COLUMNS, [tuple(row[name] for name in _COLUMNS) for row in rows])


@app.command("show")
def show_command(consumer: Consumer, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show every version of a department's credential, the newest first; its password is nowhere."""
    now = datetime.now(UTC)
    with open_control() as database, database.reading() as connection:
        codes = pickups.waiting(connection, now)
        found = credentials.versions(connection, ConsumerId(consumer))
    if not found:
        remedy = "`govbus credential list` names those that are; the control process enters them"
        raise CommandFailed(ExitCode.NEGATIVE, f"no credential of {consumer} is known", "CONSUMER", remedy)
    rows = [_version(each, now) for each in found]
    until = codes.get(ConsumerId(consumer))
    if wants_json(as_json, output):
        emit_json({"consumer": consumer, "code_until": _text(until), "versions": rows})
        return
    table(f"Credential of {consumer}", tuple(rows[0]), [tuple(row.values()) for row in rows])
    if until is not None:
        note(f"A code that nobody has used is out until {until:%Y-%m-%d %H:%M} UTC.")


@app.command("rotate")
def rotate_command(consumer: Consumer, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Make a code, shown once: give it to the department and nobody else. It lasts seven days.

    Nothing changes until the department fetches its new credential with it; from that moment the old one logs
    nobody in.
    """
    now = datetime.now(UTC)
    with open_control() as database, database.begin() as connection:
        try:
            code, until = order_rotation(
                connection,
                ConsumerId(consumer),
                bus.console_account(),
                now,
                new_id(now),
                secrets.token_bytes,
            )
        except CannotProvide as error:
            raise CommandFailed(ExitCode.REFUSED, error.what, "CONSUMER", error.remedy) from error
    if wants_json(as_json, output):
        emit_json({"consumer": consumer, "code": code, "expires_at": until.isoformat()})
    else:
        typer.echo(f"{code}\nuntil {until:%Y-%m-%d %H:%M} UTC, once; it is kept nowhere")


def _row(each: Credential, codes: dict[ConsumerId, datetime], now: datetime) -> dict[str, Any]:
    return {
        "consumer": each.consumer,
        "version": each.version,
        "issued_at": each.issued_at.isoformat(),
        "expires_at": each.expires_at.isoformat(),
        "days_left": each.days_left(now),
        "standing": each.standing(now).value,
        "code_until": _text(codes.get(each.consumer)),
    }


def _version(each: Credential, now: datetime) -> dict[str, Any]:
    return {
        "version": each.version,
        "issued_at": each.issued_at.isoformat(),
        "expires_at": each.expires_at.isoformat(),
        "days_left": each.days_left(now),
        "standing": each.standing(now).value,
        "ended_at": _text(each.ended_at),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
