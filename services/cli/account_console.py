"""Who is at the console, and how what stands against a request is told there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection

from services.cli import bus
from services.cli.output import CommandFailed, ExitCode
from services.control.accounts.people import Person
from services.control.store.accounts.acts import CorrectRequest, Order
from services.control.store.accounts.persons import person_by_login


def console(why: str = "") -> Order:
    """An order of whoever is at the console, now."""
    return Order(bus.console_account(), datetime.now(UTC), why.strip())


@contextmanager
def told() -> Iterator[None]:
    """What stands against a request becomes an error that says what to do.

    Raises:
        CommandFailed: the request was refused; nothing was changed.
    """
    try:
        yield
    except CorrectRequest as error:
        first, *others = error.problems
        more = [f"{each.field}: {each.what}; {each.remedy}" for each in others]
        raise CommandFailed(
            ExitCode.REFUSED, first.what, first.field, "\n".join([first.remedy, *more])
        ) from error


def named(connection: Connection, login: str) -> Person:
    """The person of a login name.

    Raises:
        CommandFailed: nobody has it.
    """
    found = person_by_login(connection, login)
    if found is None:
        what = f"there is no account {login}"
        raise CommandFailed(ExitCode.USAGE, what, "LOGIN", "`govbus account list` shows them")
    return found
