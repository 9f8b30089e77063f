"""Reads the acts that were owed to the ledger, for whoever looks at what was done: the newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, String, cast, func, or_, select

from services.control.store.accounts.tables import PERSONS
from services.control.store.outbox import OUTBOX, Channel, Fact


@dataclass(frozen=True, slots=True)
class ActWish:
    """Which acts are wanted; what is not set does not matter."""

    area: str | None = None
    """What comes before the dot of ``what``: ``case``, ``account`` …"""
    what: str | None = None
    kind: str | None = None
    object: str | None = None
    who: str | None = None
    """An account's id, or ``console:`` and a login at the machine."""
    since: datetime | None = None
    until: datetime | None = None
    departments: frozenset[str] | None = None
    """Acts by people of these departments, or that name one of them; None for all."""


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act as a list shows it; ``login`` is of the account that acted, if there was one.

    ``who`` is what the ledger names: the same account, or the login at a shell where somebody acted for it.
    """

    id: int
    who: str
    login: str | None
    department: str | None
    what: str
    kind: str
    object: str
    when: datetime
    reason: str
    facts: Mapping[str, Fact]
    sent_at: datetime | None
    """When the ledger had it; None while it is on its way."""


_PERSON: Final = cast(PERSONS.c.id, String)
_ACTED: Final[ColumnElement[str]] = func.coalesce(OUTBOX.c.facts["for"].astext, OUTBOX.c.who)
"""The account that acted, also where the ledger names the shell at which it did."""
_JOINED: Final = OUTBOX.outerjoin(PERSONS, _ACTED == _PERSON)


def acts(
    connection: Connection, wish: ActWish | None = None, before: int | None = None, limit: int = 50
) -> list[ActLine]:
    """Acts from the newest on; ``before`` is the id of the last one of the page before."""
    wish = wish or ActWish()
    wanted = (
        select(OUTBOX, PERSONS.c.login, PERSONS.c.department)
        .select_from(_JOINED)
        .where(OUTBOX.c.channel == Channel.LEDGER.value, *_conditions(wish))
        .order_by(OUTBOX.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(OUTBOX.c.id < before)
    return [_line(row) for row in connection.execute(wanted)]


def person_of(connection: Connection, who: str) -> str:
    """The account's id behind a login name; the text itself where it is none."""
    wanted = select(_PERSON).where(PERSONS.c.login == who)
    found = connection.execute(wanted).scalar_one_or_none()
    return who if found is None else str(found)


def _conditions(wish: ActWish) -> list[Any]:
    found: list[Any] = [
        OUTBOX.c[name] == value
        for name, value in (
            ("what", wish.what),
            ("kind", wish.kind),
            ("object", wish.object),
        )
        if value is not None
    ]
    if wish.who is not None:
        found.append(or_(*(column == wish.who for column in (OUTBOX.c.who, _ACTED))))
    if wish.area is not None:
        found.append(OUTBOX.c.what.startswith(f"{wish.area}.", autoescape=True))
    if wish.since is not None:
        found.append(OUTBOX.c.acted_at >= wish.since)
    if wish.until is not None:
        found.append(OUTBOX.c.acted_at < wish.until)
    if wish.departments is not None:
        own = sorted(wish.departments)
        named = (OUTBOX.c.facts[name].astext.in_(own) for name in ("department", "provider", "consumer"))
        found.append(or_(PERSONS.c.department.in_(own), *named))
    return found


def _line(row: Row[Any]) -> ActLine:
    return ActLine(
        id=row.id,
        who=row.who,
        login=row.login,
        department=row.department,
        what=row.what,
        kind=row.kind,
        object=row.object,
        when=row.acted_at,
        reason=row.reason,
        facts=row.facts,
        sent_at=row.sent_at,
    )
