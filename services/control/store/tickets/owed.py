"""What tickets owe to others: notices to consumers, and changes of the disputes to the bus, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from services.control.store.tickets.tables import DISPUTES, NOTICES
from services.control.tickets.words import NoticeKind
from services.control.tickets.written import contested_of
from topics.disputes import Act, DisputeChange


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """One thing that one consumer is to be told under one grant; ``told_at`` says since when it knows."""

    id: UUID
    ticket: UUID
    consumer: str
    grant: str
    kind: NoticeKind
    owed_at: datetime
    told_at: datetime | None


def notices_owed(connection: Connection, limit: int = 100) -> list[OwedNotice]:
    """What is to be told next, oldest first; locked, so that two senders never take the same."""
    waiting = (NOTICES.c.told_at.is_(None), NOTICES.c.dropped_at.is_(None))
    wanted = select(NOTICES).where(*waiting).order_by(NOTICES.c.owed_at, NOTICES.c.id).limit(limit)
    return [_notice(row) for row in connection.execute(wanted.with_for_update(skip_locked=True))]


def notices_of(connection: Connection, ticket: UUID) -> list[OwedNotice]:
    """All notices of a ticket but those that were dropped, oldest first."""
    of_ticket = (NOTICES.c.ticket_id == ticket, NOTICES.c.dropped_at.is_(None))
    wanted = select(NOTICES).where(*of_ticket).order_by(NOTICES.c.owed_at, NOTICES.c.id)
    return [_notice(row) for row in connection.execute(wanted)]


def dispute_changes(connection: Connection, after: int = 0, limit: int = 1_000) -> Iterator[DisputeChange]:
    """The changes of the disputes after a number, in order: what the topic holds, or is to hold next."""
    wanted = select(DISPUTES).where(DISPUTES.c.number > after).order_by(DISPUTES.c.number).limit(limit)
    for row in connection.execute(wanted):
        contested = None if row.contested is None else contested_of(row.contested)
        yield DisputeChange(row.number, Act(row.act), row.dispute, contested)


def newest_change(connection: Connection) -> int:
    """The number of the last change of the disputes; 0 where there is none."""
    found: int = connection.execute(select(func.coalesce(func.max(DISPUTES.c.number), 0))).scalar_one()
    return found


def _notice(row: Row[Any]) -> OwedNotice:
    return OwedNotice(
        id=row.id,
        ticket=row.ticket_id,
        consumer=row.consumer,
        grant=row.grant_id,
        kind=NoticeKind(row.kind),
        owed_at=row.owed_at,
        told_at=row.told_at,
    )
