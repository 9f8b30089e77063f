"""Keeps API tokens by their hash: their text is returned once, when they are made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from services.control.accounts.actions import Action
from services.control.accounts.people import Person
from services.control.accounts.random_text import Random, digest
from services.control.accounts.tokens import (
    UNCONFIRMED_AFTER,
    Issued,
    Standing,
    Token,
    issue,
    prefix_of,
    standing,
    token_problems,
)
from services.control.cases.words import Problem
from services.control.store.accounts.acts import CorrectRequest, Noted, Order, note
from services.control.store.accounts.identities import last_vouched
from services.control.store.accounts.persons import lock_person, person_of
from services.control.store.accounts.tables import TOKENS

_TOUCH: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """A token that counts, and whose it is."""

    person: Person
    token: Token


def create_token(
    connection: Connection,
    person: UUID,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    order: Order,
    random: Random,
) -> Issued:
    """Make a token of a person.

    Raises:
        CorrectRequest: name, scopes or expiry are wrong, the account is off, or there is no such person.
    """
    wanted = sorted(frozenset(scopes))
    problems = token_problems(name, wanted, expires_at, order.now)
    if problems:
        raise CorrectRequest(*problems)
    owner, made = lock_person(connection, person), issue(random)
    if not owner.may_enter:
        what = "the account or its department is switched off"
        raise CorrectRequest(Problem("SWITCHED_OFF", "person", what, "switch it on first"))
    values = {
        "prefix": made.prefix,
        "digest": made.digest,
        "person": owner.id,
        "name": name.strip(),
        "scopes": wanted,
        "created_at": order.now,
        "expires_at": expires_at,
    }
    connection.execute(insert(TOKENS).values(values))
    facts = {"person": str(person), "scopes": ",".join(wanted), "expires_at": expires_at.isoformat()}
    note(connection, order, Noted(Action.ACCOUNT_CREATE_OWN_TOKEN, "token", made.prefix, facts))
    return made


def use_token(
    connection: Connection, text: str, now: datetime, vouched: timedelta = UNCONFIRMED_AFTER
) -> Shown | Standing | None:
    """Use a token for one request: whose it is, or why it does not count, or None for no token of ours.

    ``vouched`` is how long the word of an identity provider counts: whoever was removed there logs in no
    more, so his tokens end by then, while roles and accounts here are still what they were.
    """
    if prefix_of(text) is None:
        return None
    row = connection.execute(select(TOKENS).where(TOKENS.c.digest == digest(text))).first()
    if row is None:
        return None
    token, person = _token(row), person_of(connection, row.person)
    found = standing(token, now)
    if found is not Standing.VALID:
        return found
    if person is None or not person.may_enter:
        return Standing.REVOKED
    seen = last_vouched(connection, person.id)
    if seen is not None and now - seen >= vouched:
        return Standing.UNCONFIRMED
    if token.used_at is None or now - token.used_at >= _TOUCH:
        connection.execute(update(TOKENS).where(TOKENS.c.prefix == token.prefix).values(used_at=now))
    return Shown(person, token)


def revoke_token(connection: Connection, prefix: str, order: Order) -> bool:
    """Revoke one token by its prefix; returns whether it still counted."""
    statement = update(TOKENS).where(TOKENS.c.prefix == prefix, TOKENS.c.revoked_at.is_(None))
    found = connection.execute(statement.values(revoked_at=order.now).returning(TOKENS.c.person)).first()
    if found is None:
        return False
    own = order.by == str(found.person)
    action = Action.ACCOUNT_REVOKE_OWN if own else Action.ACCOUNT_REVOKE_TOKEN
    note(connection, order, Noted(action, "token", prefix, {"person": str(found.person)}))
    return True


def tokens_of(connection: Connection, person: UUID | None = None) -> list[Token]:
    """The tokens of a person, or all, the newest first; never their text."""
    wanted = select(TOKENS).order_by(TOKENS.c.created_at.desc(), TOKENS.c.prefix)
    if person is not None:
        wanted = wanted.where(TOKENS.c.person == person)
    return [_token(row) for row in connection.execute(wanted)]


def _token(row: Row[Any]) -> Token:
    return Token(
        row.prefix,
        str(row.person),
        row.name,
        frozenset(row.scopes),
        row.created_at,
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )
