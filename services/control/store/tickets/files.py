"""Keeps what was attached to tickets until they are over for a while; only what a ticket names is kept.

Whether somebody may read it, and that he did, is the business of whoever asks. (ADR 80)
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.control.store.tickets.tables import FILES, TICKETS
from services.control.tickets.evidence import LARGEST_FILE
from services.control.tickets.ticket import TERMINAL, Ticket


def keep(connection: Connection, ticket: Ticket, contents: Iterable[bytes], now: datetime) -> int:
    """Keep the contents that the ticket names by their digests; returns how many.

    What it does not name, and what is larger than ``LARGEST_FILE``, is not kept.
    """
    named = {each.sha256 for each in ticket.evidence}
    kept = 0
    for content in contents:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in named or len(content) > LARGEST_FILE:
            continue
        row = {"ticket_id": UUID(ticket.opening.id), "sha256": digest, "content": content, "kept_at": now}
        connection.execute(insert(FILES).values(row).on_conflict_do_nothing())
        kept += 1
    return kept


def kept_of(connection: Connection, ticket: UUID) -> frozenset[str]:
    """The digests of what is kept of a ticket."""
    wanted = select(FILES.c.sha256).where(FILES.c.ticket_id == ticket)
    return frozenset(connection.execute(wanted).scalars())


def content_of(connection: Connection, ticket: UUID, sha256: str) -> bytes | None:
    """One attachment; None where it is not kept."""
    wanted = select(FILES.c.content).where(FILES.c.ticket_id == ticket, FILES.c.sha256 == sha256)
    found = connection.execute(wanted).scalar_one_or_none()
    return None if found is None else bytes(found)


def forget(connection: Connection, before: datetime, limit: int = 100) -> int:
    """Delete so many files at most of tickets that were over before; the digests stay with the ticket."""
    over = [state.value for state in TERMINAL]
    old = (
        select(FILES.c.ticket_id)
        .join(TICKETS, TICKETS.c.id == FILES.c.ticket_id)
        .where(TICKETS.c.state.in_(over), TICKETS.c.moved_at < before)
        .distinct()
        .limit(limit)
    )
    return connection.execute(delete(FILES).where(FILES.c.ticket_id.in_(old.scalar_subquery()))).rowcount
