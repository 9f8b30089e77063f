"""`govbus account token …`: API tokens, whose text is printed once."""

import secrets
from datetime import timedelta
from typing import Annotated

import typer

from services.cli import account_view
from services.cli.account_console import console, named, told
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
from services.control.store.accounts import tokens

app = typer.Typer(help="API tokens: made, listed, revoked.", no_args_is_help=True)


@app.callback()
def token() -> None:
    """API tokens: made, listed, revoked."""


@app.command("create")
def create_command(
    login: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="Such as catalogue:look; repeatable.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="So many days it lasts.")] = 90,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Make a token with scopes. Its text is printed once; afterwards only its prefix is known."""
    order = console()
    ends = order.now + timedelta(days=days)
    with open_control() as database, told(), database.begin() as connection:
        owner = named(connection, login).id
        made = tokens.create_token(connection, owner, name, scope, ends, order, secrets.token_bytes)
    answer = {"prefix": made.prefix, "token": made.text, "expires_at": ends.isoformat()}
    if wants_json(as_json, output):
        emit_json(answer)
        return
    table("Token", tuple(answer), [tuple(answer.values())])
    note("It is shown this once and kept nowhere.")


@app.command("list")
def list_command(
    login: Annotated[str | None, typer.Argument(help="Only this person's.")] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List tokens by their prefix, with scopes, expiry and last use."""
    with open_control() as database, database.reading() as connection:
        owner = None if login is None else named(connection, login).id
        found = tokens.tokens_of(connection, owner)
    account_view.show_tokens(found, wants_json(as_json, output))


@app.command("revoke")
def revoke_command(
    prefix: Annotated[str, typer.Argument(help="The prefix, such as gbt_abcdefgh.")],
    why: Annotated[str, typer.Option("--why", help="Why, for the record; no personal data.")] = "",
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Revoke a token at once (exit code 1 if it was revoked before or there is none)."""
    with open_control() as database, database.begin() as connection:
        revoked = tokens.revoke_token(connection, prefix, console(why))
    if not revoked:
        what = f"no token {prefix} counts"
        raise CommandFailed(ExitCode.NEGATIVE, what, "PREFIX", "`govbus account token list` shows them")
    answer = {"prefix": prefix, "revoked": True}
    if wants_json(as_json, output):
        emit_json(answer)
    else:
        table("Token", tuple(answer), [tuple(answer.values())])
