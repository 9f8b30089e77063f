"""For whom the operator's shell acts on a case, and who stands in the ledger for it.

There are no logins on a shell. Whoever can run the command is the operator, and the ledger names him by his
login at the machine. What a department decided elsewhere he enters for it with `--for`; both are kept.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from services.cli.bus import console_account
from services.cli.output import CommandFailed, ExitCode
from services.control.cases.words import Actor, Role
from services.control.desk.orders import Order

_FORM: Final = re.compile(r"(?P<role>[a-z]+):(?P<department>[a-z][a-z0-9_]*)/(?P<person>[!-~]{1,100})")

For = Annotated[
    str,
    typer.Option(
        "--for",
        help="Whose decision you enter, as ROLE:DEPARTMENT/PERSON, such as provider:police/wang. "
        "It is no login: the ledger names you, and the one for whom you did it.",
    ),
]
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


def order_for(whom: str, key: str | None, seen: int | None = None) -> Order:
    """The order of the operator on behalf of somebody, now.

    Raises:
        CommandFailed: it is not said for whom.
    """
    found = _FORM.fullmatch(whom)
    if found is None or found["role"] not in set(Role) - {Role.SYSTEM}:
        roles = ", ".join(role.value for role in Role if role is not Role.SYSTEM)
        remedy = f"write ROLE:DEPARTMENT/PERSON; roles: {roles}"
        raise CommandFailed(ExitCode.USAGE, f"{whom!r} is nobody for whom you can act", "--for", remedy)
    actor = Actor(found["person"], Role(found["role"]), found["department"])
    return Order(
        key=key or f"shell:{secrets.token_hex(16)}",
        actor=actor,
        now=datetime.now(UTC),
        seen=seen,
        recorder=console_account(),
    )
