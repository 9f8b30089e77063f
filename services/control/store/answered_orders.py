"""Forgets what orders on cases and tickets were answered, once nobody can mean to repeat them any more."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from services.control.store.cases.tables import COMMANDS as CASE_COMMANDS
from services.control.store.tickets.tables import COMMANDS as TICKET_COMMANDS

_TABLES: Final = (CASE_COMMANDS, TICKET_COMMANDS)


def forget(connection: Connection, before: datetime, limit: int = 1_000) -> int:
    """Delete so many answers of each kind at most that are older; returns how many of the most frequent."""
    removed = []
    for table in _TABLES:
        old = select(table.c.key).where(table.c.recorded_at < before).limit(limit)
        gone = connection.execute(delete(table).where(table.c.key.in_(old.scalar_subquery())))
        removed.append(gone.rowcount)
    return max(removed)
