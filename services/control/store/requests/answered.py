"""Remembers requests by their keys, so that none takes place twice and each gets the same answer again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.accounts.random_text import digest
from services.control.store.requests.tables import REQUESTS

KEPT: Final = timedelta(days=2)
"""A key that is older may be used for something else."""
_FORGOTTEN_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is given again."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Known:
    """What was asked and answered under a key before."""

    digest: str
    answer: Kept


def claim(connection: Connection, who: str, key: str, content: str, now: datetime) -> Known | None:
    """Take a key for a request; what was answered before if it is taken.

    Of two transactions that take one key, the second waits for the first: it gets that one's answer, or the
    key if that one is rolled back.

    Args:
        connection: in the transaction of what is asked for.
        who: who asks: nobody meets the keys of others.
        key: the key.
        content: the digest of all that is asked for.
        now: the time.
    """
    _forget(connection, now)
    row = {"key": _named(who, key), "digest": content, "recorded_at": now}
    taken = insert(REQUESTS).values(row).on_conflict_do_nothing().returning(REQUESTS.c.key)
    if connection.execute(taken).one_or_none() is not None:
        return None
    known = connection.execute(select(REQUESTS).where(REQUESTS.c.key == row["key"])).one()
    return Known(known.digest, Kept(known.status, known.headers, known.body))


def answered(connection: Connection, who: str, key: str, answer: Kept) -> None:
    """Note what was answered, in the transaction that took the key."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    connection.execute(update(REQUESTS).where(REQUESTS.c.key == _named(who, key)).values(values))


def _named(who: str, key: str) -> bytes:
    return digest(f"{who}\n{key}")


def _forget(connection: Connection, now: datetime) -> None:
    """A few that are old; rows that somebody else is just forgetting are left to him."""
    old = select(REQUESTS.c.key).where(REQUESTS.c.recorded_at < now - KEPT)
    some = old.limit(_FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)
    connection.execute(delete(REQUESTS).where(REQUESTS.c.key.in_(some.scalar_subquery())))
