"""Looking at masked values leaves a record first: who, at what, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli import bus
from services.cli.acting import acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode
from services.cli.owing import owe_if_served, who_acts
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.outbox import Act, append
from services.ledger.quarantine import Disposition, disposition
from topics.event import OutputRecord, ProviderId

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show masked values; recorded with who looks and why first.")
]
Why = Annotated[str | None, typer.Option("--why", help="Why, for the record; needed with --reveal.")]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at values: which provider is told, what is looked at, and what one must be allowed."""

    provider: ProviderId
    of: str
    whose: Whose
    action: Action = Action.DATA_REVEAL
    kind: str = "topic"
    """``topic``, ``stopped_event`` or ``claims``, as pages call it."""

    def note(self, who: str, why: str) -> OutputRecord:
        """What the provider reads of it in its quarantine."""
        return disposition(self.provider, Disposition.REVEALED, self.of, who, why)


def at_provider(provider: ProviderId, of: str, kind: str = "topic") -> Look:
    """A look at what belongs to a provider alone."""
    return Look(provider, of, Whose(provider=provider), kind=kind)


def record_reveals(opened: bus.Bus, looks: Sequence[Look], login: str | None, why: str | None) -> None:
    """Write the records into the providers' quarantines, where they can read them, and owe the ledger acts.

    The machine's user looks in an emergency too: where the control plane's database does not serve, the note
    in the quarantine is the record, and that is said.

    Raises:
        CommandFailed: no reason was given, or the account may not look at one of them; nothing is revealed.
    """
    reason = required_reason(why)
    if login is None:
        _as_the_machine(opened, looks, reason)
        return
    with open_control() as database, database.begin() as connection:
        allowed = [acting(connection, login, look.action, look.whose) for look in looks]
        for look, who in zip(looks, allowed, strict=True):
            facts = {"provider": str(look.provider), "for": who.id}
            what, now = look.action.value, datetime.now(UTC)
            append(connection, Act(who.console, what, look.kind, look.of, now, reason, facts))
        notes = [look.note(who.id, reason) for look, who in zip(looks, allowed, strict=True)]
        opened.writer.write(notes)


def _as_the_machine(opened: bus.Bus, looks: Sequence[Look], reason: str) -> None:
    who = who_acts(None, Action.DATA_REVEAL, Whose())
    opened.writer.write([look.note(who.by, reason) for look in looks])
    for look in looks:
        owe_if_served(
            who.act(look.action.value, look.kind, look.of, reason, {"provider": str(look.provider)})
        )


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
