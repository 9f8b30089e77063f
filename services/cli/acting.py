"""As whom a command acts: an account, asked by the same table of permissions as pages and the API.

On a shell nobody logs in. ``--as`` names the account; the one table says whether it may, and what is recorded
names that account and the login at the machine. Without ``--as``, where a command allows it, the machine's
login acts alone, and no account stands for what it did.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import typer
from sqlalchemy import Connection

from services.cli.bus import console_account
from services.cli.output import CommandFailed, ExitCode
from services.control.accounts.actions import Action
from services.control.accounts.decision import Refused, Whose, may_person
from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.accounts.words import said
from services.control.cases import words
from services.control.catalogue.vocabulary import Language
from services.control.store.accounts.persons import person_by_login

As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="LOGIN",
        help="Who acts: the login name of an account. What it may not do on a page it may not do here.",
    ),
]
AsOrNobody = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="LOGIN",
        help="Who acts: the login name of an account, which must be allowed to; "
        "without it the record names the user of the machine alone.",
    ),
]
_ASK: Final = "`govbus account permissions` shows who may; ask one of them"


@dataclass(frozen=True, slots=True)
class Acting:
    """An account that may do what was asked, in which role, and the login at the machine that named it."""

    person: Person
    role: Role
    console: str

    @property
    def id(self) -> str:
        """The id by which acts and life cycles know the account; on pages it is the same."""
        return str(self.person.id)

    @property
    def actor(self) -> words.Actor:
        """The account as cases, tickets and needs know who acts."""
        return words.Actor(self.id, words.Role(self.role.value), self.person.department)


def acting(connection: Connection, login: str, action: Action, whose: Whose | None = None) -> Acting:
    """The account of a login name, if it may do something.

    Args:
        connection: to the accounts.
        login: what was given with ``--as``.
        action: what is asked for.
        whose: the departments of the object; None for what is the account's own department's.

    Raises:
        CommandFailed: there is no such account, it is switched off, or it may not.
    """
    person = account_of(connection, login)
    own = Whose(person.department, person.department)
    answer = may_person(person.principal(), action, own if whose is None else whose)
    if isinstance(answer, Refused):
        what = f"{person.login} may not ({action.value}): {said(answer.reason, Language.EN)}"
        raise CommandFailed(ExitCode.REFUSED, what, "--as", _ASK)
    return Acting(person, answer.role, console_account())


def account_of(connection: Connection, login: str) -> Person:
    """The account of a login name, which counts.

    Raises:
        CommandFailed: nobody has it, or it is switched off.
    """
    person = person_by_login(connection, login.strip().casefold())
    if person is None:
        what = f"there is no account {login!r}"
        raise CommandFailed(ExitCode.USAGE, what, "--as", "`govbus account list` shows them")
    if not person.active:
        what = f"the account {person.login} is switched off"
        raise CommandFailed(ExitCode.REFUSED, what, "--as", "`govbus account enable` opens it again")
    return person
