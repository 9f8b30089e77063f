"""Who acts at a shell, and what the ledger is owed for it, through the control plane's outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.cli.acting import acting
from services.cli.bus import console_account
from services.cli.control import open_control
from services.cli.output import CommandFailed, note
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.errors import StoreError
from services.control.store.outbox import Act, Fact, append


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts.

    Args:
        console: the login at the machine, which the ledger names.
        by: who stands beside what was done: the account where one was named, else the login.
        facts: what an act says of the account.
    """

    console: str
    by: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def act(self, what: str, kind: str, of: str, reason: str, facts: Mapping[str, Fact]) -> Act:
        """An act of now, in the name of whoever acts."""
        return Act(self.console, what, kind, of, datetime.now(UTC), reason, {**facts, **self.facts})


def who_acts(login: str | None, action: Action, whose: Whose) -> Who:
    """The account of ``--as``, if it may, or the machine's user alone.

    Raises:
        CommandFailed: there is no such account, or it may not.
        StoreError: an account was named, and the control plane's database does not serve.
    """
    console = console_account()
    if login is None:
        return Who(console, console)
    with open_control() as database, database.begin() as connection:
        found = acting(connection, login, action, whose)
    return Who(found.console, found.id, {"for": found.id})


def owe(act: Act) -> None:
    """Owe an act to the ledger.

    Raises:
        CommandFailed, StoreError: there is no control plane's database, or it does not serve.
    """
    with open_control() as database, database.begin() as connection:
        append(connection, act)


def owe_if_served(act: Act) -> None:
    """The same, where the act is about what must not wait for a database: then it is said and no more."""
    try:
        owe(act)
    except (StoreError, CommandFailed) as error:
        note(f"{act.what} is not in the ledger: {error}")
