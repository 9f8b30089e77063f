"""Looking at masked values leaves a record first: who, at what, and why."""

from typing import Annotated

import typer

from services.cli import bus
from services.cli.output import CommandFailed, ExitCode
from services.ledger.quarantine import Disposition, disposition
from topics.event import ProviderId

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show masked values; recorded with actor and reason first.")
]
Actor = Annotated[str | None, typer.Option(help="Who does this; the user of the machine if not given.")]
Why = Annotated[str | None, typer.Option("--why", help="Why, for the record; needed with --reveal.")]


def record_reveal(opened: bus.Bus, provider: ProviderId, of: str, actor: str | None, why: str | None) -> None:
    """Write the record into the provider's quarantine, where the provider can read it.

    Raises:
        CommandFailed: no reason was given; nothing is revealed.
    """
    record = disposition(provider, Disposition.REVEALED, of, actor or bus.actor(), required_reason(why))
    opened.writer.write([record])


def required_reason(why: str | None) -> str:
    """The reason that the record needs.

    Raises:
        CommandFailed: it is missing.
    """
    if why is None or not why.strip():
        raise CommandFailed(
            ExitCode.USAGE, "the reason is missing", "--why", "say why in --why; it is kept with your name"
        )
    return why.strip()
