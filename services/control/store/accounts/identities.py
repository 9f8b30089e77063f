"""Keeps under which names an identity provider knows people, and logins there that have begun."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from services.control.accounts.random_text import digest
from services.control.store.accounts.acts import Order, of_person
from services.control.store.accounts.tables import FLOWS, IDENTITIES

LIFE: Final = timedelta(minutes=10)
"""So long somebody may take at the identity provider."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What has to fit when the browser comes back."""

    nonce: str
    verifier: str
    return_to: str


def begin_flow(connection: Connection, state: str, browser: str, flow: Flow, now: datetime) -> None:
    """Remember a login that begins, by the state that travels and by a secret that this browser keeps."""
    connection.execute(delete(FLOWS).where(FLOWS.c.began_at <= now - LIFE))
    values = {
        "state": digest(state),
        "browser": digest(browser),
        "nonce": flow.nonce,
        "verifier": flow.verifier,
        "return_to": flow.return_to,
        "began_at": now,
    }
    connection.execute(insert(FLOWS).values(values))


def take_flow(connection: Connection, state: str, browser: str, now: datetime) -> Flow | None:
    """The login of this state and this browser, once; None if there is none, or no longer."""
    statement = delete(FLOWS).where(FLOWS.c.state == digest(state)).returning(FLOWS)
    row = connection.execute(statement).first()
    if row is None or bytes(row.browser) != digest(browser) or row.began_at <= now - LIFE:
        return None
    return Flow(row.nonce, row.verifier, row.return_to)


def known_as(connection: Connection, issuer: str, subject: str) -> UUID | None:
    """The person whom an identity provider knows by this name."""
    wanted = select(IDENTITIES.c.person).where(IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject)
    return connection.execute(wanted).scalar_one_or_none()


def vouched(connection: Connection, issuer: str, subject: str, now: datetime) -> None:
    """Note that an identity provider has just vouched for somebody whom it knows."""
    known = (IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject)
    connection.execute(update(IDENTITIES).where(*known).values(seen_at=now))


def last_vouched(connection: Connection, person: UUID) -> datetime | None:
    """When an identity provider last vouched for a person; None for a local account."""
    wanted = select(func.max(IDENTITIES.c.seen_at)).where(IDENTITIES.c.person == person)
    found: datetime | None = connection.execute(wanted).scalar_one()
    return found


def is_linked(connection: Connection, person: UUID) -> bool:
    """Whether an identity provider knows a person."""
    wanted = select(IDENTITIES.c.person).where(IDENTITIES.c.person == person).limit(1)
    return connection.execute(wanted).first() is not None


def link(connection: Connection, issuer: str, subject: str, person: UUID, order: Order) -> None:
    """Note under which name an identity provider knows a person."""
    values = {"issuer": issuer, "subject": subject, "person": person}
    values |= {"linked_at": order.now, "seen_at": order.now}
    connection.execute(insert(IDENTITIES).values(values))
    of_person(connection, order, "account.link", person)
