"""`govbus verify`: is a bundle of evidence what the bus sealed? Offline, against a trust file."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, wants_json
from services.control.evidence.on_stack import trust_path
from services.evidence.__main__ import verified
from services.evidence.telling import as_answer, told
from services.stack.settings import StackSettings


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("verify")(verify)


def verify(
    bundle: Annotated[Path, typer.Argument(help="What `govbus evidence export` wrote.")],
    trust: Annotated[
        Path | None,
        typer.Option(help="Keys and the witness' checkpoint; the installation's own where it is not given."),
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Verify a bundle offline: exit 0 if it is proven, 1 with the first fault if not.

    A trust file inside a bundle is never read. `python -m services.evidence` does the same and needs no
    more than that folder and the package cryptography.
    """
    trusted = trust or trust_path(StackSettings.from_environment().home)
    try:
        verdict = verified(bundle, trusted)
    except OSError as error:
        raise CommandFailed(
            ExitCode.USAGE,
            f"{error.filename} cannot be read: {error.strerror}",
            "",
            "name the bundle, and a trust file with --trust; `govbus evidence trust` writes one",
        ) from error
    if wants_json(as_json, output):
        emit_json(as_answer(verdict))
    else:
        typer.echo(told(verdict))
    raise typer.Exit(ExitCode.OK if verdict.proven else ExitCode.NEGATIVE)
