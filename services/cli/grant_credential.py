"""`govbus grant credential`: issue the code of a consumer's credential, and fetch it once."""

import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli import bus
from services.cli.case_opened import case_id
from services.cli.control import open_control
from services.cli.grant_running import Running, told
from services.cli.output import CommandFailed, ExitCode, Json, emit_json
from services.control.provisioning.credential import fetch, issue_code
from services.control.provisioning.logins import Handover
from services.control.provisioning.ports import CannotProvide
from services.control.settings import CredentialSettings
from services.control.store.cases.reading import load
from services.control.store.ids import new_id

app = typer.Typer(help="A consumer's credential: fetched once, with a code.", no_args_is_help=True)


@app.callback()
def credentials() -> None:
    """A consumer's credential: fetched once, with a code."""


@app.command("issue")
def issue_command(
    case: Annotated[str, typer.Argument(help="The number of the case, or its id.")], as_json: Json = False
) -> None:
    """Issue a code, shown once: give it to the consumer's department and nobody else. It lasts seven days."""
    now = datetime.now(UTC)
    with open_control() as database, database.begin() as connection:
        filed = load(connection, case_id(connection, case), lock=True)
        if filed is None:
            raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")
        try:
            code, until = issue_code(
                connection, filed, bus.console_account(), now, new_id(now), secrets.token_bytes
            )
        except CannotProvide as error:
            raise CommandFailed(ExitCode.REFUSED, error.what, "", error.remedy) from error
    if as_json:
        emit_json({"case": filed.case.opening.id, "code": code, "expires_at": until.isoformat()})
    else:
        typer.echo(f"{code}\nuntil {until:%Y-%m-%d %H:%M} UTC, once")


@app.command("fetch")
def fetch_command() -> None:
    """Read a code from standard input and print the credential as JSON, once; keep it in an own file.

    With a code of a rotation, or where the credential of before is over, it is a new one: from that moment
    the old password logs nobody in.
    """
    code, running, now = sys.stdin.readline().strip(), Running.open(), datetime.now(UTC)
    handover, days = Handover(running.access, running.policy()), CredentialSettings.from_environment().days
    with open_control() as database, database.begin() as connection:
        try:
            found = told(lambda: fetch(connection, code, bus.console_account(), now, handover, days))
        except CannotProvide as error:
            raise CommandFailed(ExitCode.REFUSED, error.what, "", error.remedy) from error
    if found is None:
        remedy = "have another one made: `govbus credential rotate CONSUMER`"
        raise CommandFailed(ExitCode.REFUSED, "the code is none, was used, or is over", "", remedy)
    emit_json(found)
