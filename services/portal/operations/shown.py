"""Small things that pages of operation show: moments out of milliseconds, people by their account's id."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from fastapi import Request
from sqlalchemy import select

from services.api.security.cookies import parts_of
from services.control.store.accounts.tables import PERSONS


def from_ms(ms: int) -> datetime:
    """The moment that a number of milliseconds since 1970 means."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def login_of(request: Request, account: str) -> str:
    """The login name of an account; its id where it is none of a person's, such as a console's."""
    try:
        wanted = select(PERSONS.c.login).where(PERSONS.c.id == UUID(account))
    except ValueError:
        return account
    with parts_of(request).database.reading() as connection:
        found = connection.execute(wanted).scalar_one_or_none()
    return account if found is None else str(found)


def logins_of(request: Request, accounts: Iterable[str | None]) -> Mapping[str, str]:
    """The login names of accounts; the id of what is none of a person's, such as a console's."""
    found = {each: each for each in accounts if each}
    ids = {id_ for each in found if (id_ := _uuid(each)) is not None}
    if ids:
        wanted = select(PERSONS.c.id, PERSONS.c.login).where(PERSONS.c.id.in_(ids))
        with parts_of(request).database.reading() as connection:
            found |= {str(row.id): str(row.login) for row in connection.execute(wanted)}
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
