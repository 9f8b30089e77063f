"""Remembers orders by their keys, so that none is carried out twice and each is answered the same way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.store.cases.tables import COMMANDS


@dataclass(frozen=True, slots=True)
class Known:
    """What was ordered and answered under a key before."""

    digest: str
    answer: Mapping[str, Any]


def claim(connection: Connection, key: str, digest: str, now: datetime) -> Known | None:
    """Take a key for an order; what was answered before if it is taken.

    Of two transactions that take one key, the second waits for the first: it gets that one's answer, or the
    key if that one is rolled back.
    """
    row = {"key": key, "digest": digest, "recorded_at": now}
    taken = insert(COMMANDS).values(row).on_conflict_do_nothing().returning(COMMANDS.c.key)
    if connection.execute(taken).one_or_none() is not None:
        return None
    known = connection.execute(select(COMMANDS).where(COMMANDS.c.key == key)).one()
    return Known(known.digest, known.answer)


def answered(connection: Connection, key: str, answer: Mapping[str, Any]) -> None:
    """Note what was answered, in the transaction that took the key."""
    connection.execute(update(COMMANDS).where(COMMANDS.c.key == key).values(answer=dict(answer)))
