"""Keeps the hashes of passwords: the newest counts, a few older ones are not used again."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from services.control.accounts.actions import Action
from services.control.store.accounts.acts import Order, of_person
from services.control.store.accounts.persons import changed
from services.control.store.accounts.tables import PASSWORDS

KEPT: Final = 5
"""So many of a person's last passwords are not used again."""


def hashes(connection: Connection, person: UUID) -> list[str]:
    """The hashes of a person's passwords, the one that counts first."""
    wanted = select(PASSWORDS.c.hash).where(PASSWORDS.c.person == person)
    return list(connection.scalars(wanted.order_by(PASSWORDS.c.number.desc()).limit(KEPT)))


def set_first(connection: Connection, person: UUID, hash_: str, order: Order) -> None:
    """Give a password that its owner must change before anything else."""
    _keep(connection, person, hash_, order)
    changed(connection, person, order, must_change_password=True)
    of_person(connection, order, Action.ACCOUNT_RESET_PASSWORD, person)


def set_own(connection: Connection, person: UUID, hash_: str, order: Order) -> None:
    """Replace a person's password by one that he chose himself."""
    _keep(connection, person, hash_, order)
    changed(connection, person, order, must_change_password=False)
    of_person(connection, order, Action.ACCOUNT_CHANGE_OWN_PASSWORD, person)


def void(connection: Connection, person: UUID, order: Order) -> bool:
    """Let no password of a person count any more; returns whether there was one."""
    done = connection.execute(delete(PASSWORDS).where(PASSWORDS.c.person == person)).rowcount > 0
    if done:
        of_person(connection, order, "account.void_password", person)
    return done


def demand_change(connection: Connection, person: UUID, order: Order) -> None:
    """Let a person do nothing but change the password, which has outlived the rules."""
    changed(connection, person, order, must_change_password=True)
    of_person(connection, order, "account.password_expired", person)


def set_at(connection: Connection, person: UUID) -> datetime | None:
    """When the password that counts was set; None without one."""
    wanted = select(PASSWORDS.c.set_at).where(PASSWORDS.c.person == person)
    return connection.scalars(wanted.order_by(PASSWORDS.c.number.desc()).limit(1)).first()


def renew(connection: Connection, person: UUID, hash_: str) -> None:
    """Replace the hash of the same password by a stronger one; nobody's rights change."""
    newest = select(PASSWORDS.c.number).where(PASSWORDS.c.person == person)
    number = newest.order_by(PASSWORDS.c.number.desc()).limit(1).scalar_subquery()
    connection.execute(PASSWORDS.update().where(PASSWORDS.c.number == number).values(hash=hash_))


def _keep(connection: Connection, person: UUID, hash_: str, order: Order) -> None:
    connection.execute(insert(PASSWORDS).values(person=person, hash=hash_, set_at=order.now))
    kept = select(PASSWORDS.c.number).where(PASSWORDS.c.person == person)
    kept = kept.order_by(PASSWORDS.c.number.desc()).limit(KEPT)
    connection.execute(delete(PASSWORDS).where(PASSWORDS.c.person == person, PASSWORDS.c.number.not_in(kept)))
