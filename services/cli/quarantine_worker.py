"""Who works on stopped events at a shell: an account that may, for each provider, or the machine's user."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.cli.acting import account_of, acting
from services.cli.control import open_control
from services.cli.owing import owe_if_served, who_acts
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.outbox import Act, append
from topics.event import ProviderId

_KIND = "quarantine"
"""What an act calls the quarantine of a provider."""


@dataclass(frozen=True, slots=True)
class Work:
    """What shall be done with stopped events, of which providers, and why; tried only with ``dry_run``."""

    action: Action
    providers: Iterable[ProviderId]
    why: str
    dry_run: bool


def worker(work: Work, login: str | None) -> str:
    """Who stands beside each event for what is done; the ledger is owed it first.

    The machine's user works in an emergency too: where the control plane's database does not serve, the note
    beside each event is the record, and that is said.

    Raises:
        CommandFailed: there is no such account, or it may not at one of the providers; nothing is done.
    """
    if login is None:
        return _as_the_machine(work)
    with open_control() as database, database.begin() as connection:
        person = account_of(connection, login)
        for provider in sorted(set(work.providers)):
            who = acting(connection, login, work.action, Whose(provider=provider))
            if not work.dry_run:
                what, now, facts = work.action.value, datetime.now(UTC), {"for": who.id}
                append(connection, Act(who.console, what, _KIND, provider, now, work.why, facts))
    return str(person.id)


def _as_the_machine(work: Work) -> str:
    who = who_acts(None, work.action, Whose())
    for provider in () if work.dry_run else sorted(set(work.providers)):
        owe_if_served(who.act(work.action.value, _KIND, provider, work.why, {}))
    return who.by
