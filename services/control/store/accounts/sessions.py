"""Begins, finds, renews and ends sessions; the id itself is never kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from services.control.accounts.actions import Action
from services.control.accounts.people import Person
from services.control.accounts.random_text import Random, digest, new_secret
from services.control.accounts.sessions import (
    USABLE,
    Method,
    Session,
    SessionRules,
    Standing,
    needs_touch,
    standing,
)
from services.control.store.accounts.acts import Order, of_person
from services.control.store.accounts.persons import person_of
from services.control.store.accounts.tables import SESSIONS


@dataclass(frozen=True, slots=True)
class Used:
    """A session that counts; where ``new_id`` is given, the answer must tell it to the browser."""

    person: Person
    number: int
    method: Method
    new_id: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its owner and an operator see it."""

    number: int
    session: Session


def begin(
    connection: Connection,
    person: Person,
    method: Method,
    order: Order,
    random: Random,
    old: str | None = None,
) -> str:
    """Begin a session at a login and return its id; the one that the browser brought along ends."""
    if old is not None:
        connection.execute(_ending(SESSIONS.c.digest == digest(old), order.now))
    id_ = new_secret(random)
    session = Session(str(person.id), method, order.now, order.now, person.rights)
    _insert(connection, id_, session)
    of_person(connection, order, "account.login", person.id, method=method.value)
    return id_


def use(
    connection: Connection, id_: str, now: datetime, rules: SessionRules, random: Random
) -> Used | Standing | None:
    """Use a session for one request.

    Args:
        connection: inside a transaction.
        id_: what the browser brought.
        now: the time.
        rules: when sessions end.
        random: for a new id, which is made when the person's rights have changed.

    Returns:
        The person; or why the session does not count; or None where there is none.
    """
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest(id_))).first()
    person = None if row is None else person_of(connection, row.person)
    if row is None or person is None:
        return None
    session = _session(row)
    found = standing(session, person.rights, now, rules) if person.may_enter else Standing.ENDED
    if found not in USABLE:
        return found
    if found is Standing.STALE:
        return _renewed(connection, row, person, now, rules, random)
    if needs_touch(session, now, rules):
        connection.execute(_of(row).where(SESSIONS.c.used_at < now).values(used_at=now))
    return Used(person, row.number, session.method)


def still(connection: Connection, id_: str, now: datetime, rules: SessionRules) -> Person | None:
    """Whose a session is that still counts; it is not used by this, lasts no longer and keeps its id."""
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest(id_))).first()
    person = None if row is None else person_of(connection, row.person)
    if row is None or person is None or not person.may_enter:
        return None
    return person if standing(_session(row), person.rights, now, rules) in USABLE else None


def end(connection: Connection, id_: str, order: Order) -> bool:
    """End one session by its id: a logout. Returns whether it was open."""
    return _end(connection, SESSIONS.c.digest == digest(id_), order, "account.logout") > 0


def end_number(connection: Connection, person: UUID, number: int, order: Order) -> bool:
    """End one session of a person by its number; returns whether it was open."""
    which = (SESSIONS.c.person == person) & (SESSIONS.c.number == number)
    return _end(connection, which, order, _by(order, person)) > 0


def end_all(connection: Connection, person: UUID, order: Order, but: str | None = None) -> int:
    """End all sessions of a person, except the one of an id if that is given; returns how many were open."""
    which = SESSIONS.c.person == person
    if but is not None:
        which = which & (SESSIONS.c.digest != digest(but))
    return _end(connection, which, order, _by(order, person))


def sessions_of(connection: Connection, person: Person, now: datetime, rules: SessionRules) -> list[Listed]:
    """The open sessions of a person, the newest first."""
    rows = connection.execute(
        select(SESSIONS)
        .where(SESSIONS.c.person == person.id, SESSIONS.c.replaced.is_(False))
        .order_by(SESSIONS.c.number.desc())
    )
    found = [Listed(row.number, _session(row)) for row in rows]
    return [each for each in found if standing(each.session, person.rights, now, rules) in USABLE]


def forget(connection: Connection, now: datetime, rules: SessionRules, limit: int = 1_000) -> int:
    """Delete what has ended by itself long ago, so many at most; the ledger keeps that it was."""
    old = select(SESSIONS.c.digest).where(SESSIONS.c.began_at < now - 2 * rules.absolute).limit(limit)
    return connection.execute(delete(SESSIONS).where(SESSIONS.c.digest.in_(old.scalar_subquery()))).rowcount


def _renewed(
    connection: Connection, row: Row[Any], person: Person, now: datetime, rules: SessionRules, random: Random
) -> Used:
    """Go on under another id; of two requests at once only one gets it, the other is served as it is."""
    mine = _of(row).where(SESSIONS.c.replaced.is_(False))
    mine = mine.values(replaced=True, rights=person.rights, ends_at=now + rules.grace)
    if connection.execute(mine.returning(SESSIONS.c.number)).first() is None:
        return Used(person, row.number, Method(row.method))
    id_ = new_secret(random)
    session = Session(str(person.id), Method(row.method), row.began_at, now, person.rights)
    number = _insert(connection, id_, session)
    of_person(connection, Order(str(person.id), now), "account.session_renewed", person.id)
    return Used(person, number, session.method, id_)


def _end(connection: Connection, which: ColumnElement[bool], order: Order, action: str) -> int:
    """End sessions that are open, and owe the ledger one act for each person."""
    ended = connection.execute(_ending(which, order.now).returning(SESSIONS.c.person)).all()
    for person in sorted({row.person for row in ended}):
        of_person(connection, order, action, person, sessions=sum(row.person == person for row in ended))
    return len(ended)


def _ending(which: ColumnElement[bool], now: datetime) -> Any:
    still_open = or_(SESSIONS.c.ends_at.is_(None), SESSIONS.c.ends_at > now)
    return update(SESSIONS).where(which, still_open).values(ends_at=now)


def _of(row: Row[Any]) -> Any:
    return update(SESSIONS).where(SESSIONS.c.digest == row.digest)


def _by(order: Order, person: UUID) -> str:
    own = order.by == str(person)
    return Action.ACCOUNT_REVOKE_OWN if own else Action.ACCOUNT_REVOKE_SESSIONS


def _insert(connection: Connection, id_: str, session: Session) -> int:
    values = {
        "digest": digest(id_),
        "person": UUID(session.person),
        "method": session.method.value,
        "began_at": session.began_at,
        "used_at": session.used_at,
        "rights": session.rights,
        "ends_at": session.ends_at,
        "replaced": session.replaced,
    }
    made = insert(SESSIONS).values(values).returning(SESSIONS.c.number)
    return int(connection.execute(made).scalar_one())


def _session(row: Row[Any]) -> Session:
    return Session(
        str(row.person),
        Method(row.method),
        row.began_at,
        row.used_at,
        row.rights,
        row.ends_at,
        row.replaced,
    )
