"""Who asks for something of a case at a shell: the account that acts, and beside it the machine's login."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from services.cli.acting import acting
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Whose
from services.control.cases.words import Action
from services.control.desk.orders import Order
from services.control.docket.filed import Filed

Key = Annotated[
    str | None,
    typer.Option("--key", help="Of your own choice: the same command with the same key takes place once."),
]
Seen = Annotated[
    int | None,
    typer.Option(
        "--seen", help="The version that was decided on: if it is older than the case, nothing is done."
    ),
]


@dataclass(frozen=True, slots=True)
class Asking:
    """What goes with an order on a case: the account's login name, a key, the version that was seen."""

    login: str
    key: str | None = None
    seen: int | None = None


def order_of(connection: Connection, asking: Asking, action: Asked, whose: Whose) -> Order:
    """The order of an account that may give it, now.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    who = acting(connection, asking.login, action, whose)
    return Order(
        key=asking.key or f"shell:{secrets.token_hex(16)}",
        actor=who.actor,
        now=datetime.now(UTC),
        seen=asking.seen,
        recorder=who.console,
    )


def order_on(connection: Connection, asking: Asking, action: Action, filed: Filed) -> Order:
    """The same for an action on a case.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    opening = filed.case.opening
    whose = Whose(provider=opening.provider, consumer=opening.applicant)
    return order_of(connection, asking, Asked(f"case.{action.value}"), whose)
