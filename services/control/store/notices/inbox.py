"""A department's inbox: what it was told, newest first, and who of it has read what."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from services.control.notices.event import Happened
from services.control.notices.words import Audience
from services.control.store.notices.happenings import happened_of
from services.control.store.notices.tables import NOTICE_EVENTS, NOTICE_INBOX, NOTICE_READS

MOST: Final = 100
"""Notices on one page."""


@dataclass(frozen=True, slots=True)
class Received:
    """A notice as it stands in an inbox."""

    id: int
    happened: Happened
    audience: Audience
    read_at: datetime | None
    """When the account that looks has read it."""


def page(
    connection: Connection,
    department: str,
    account: str,
    *,
    before: int | None = None,
    limit: int = 20,
    unread: bool = False,
) -> list[Received]:
    """One page of an inbox.

    Args:
        connection: to read with.
        department: whose inbox.
        account: who looks.
        before: only what is older than this id; the last id of the page before.
        limit: at most so many, and never more than ``MOST``.
        unread: only what this account has not read.
    """
    wanted = _wanted(department, account).order_by(NOTICE_INBOX.c.id.desc()).limit(min(limit, MOST))
    if before is not None:
        wanted = wanted.where(NOTICE_INBOX.c.id < before)
    if unread:
        wanted = wanted.where(NOTICE_READS.c.read_at.is_(None))
    return [_received(row) for row in connection.execute(wanted)]


def unread_count(connection: Connection, department: str, account: str) -> int:
    """How many notices this account has not read."""
    mine = select(NOTICE_READS.c.inbox_id).where(NOTICE_READS.c.account == account)
    wanted = select(func.count()).where(
        NOTICE_INBOX.c.department == department, NOTICE_INBOX.c.id.not_in(mine)
    )
    return connection.execute(wanted).scalar_one()


def mark_read(
    connection: Connection, department: str, account: str, ids: Collection[int], now: datetime
) -> int:
    """Note that an account has read these notices of its department; return how many of them were new."""
    own = select(NOTICE_INBOX.c.id).where(NOTICE_INBOX.c.department == department, NOTICE_INBOX.c.id.in_(ids))
    rows = [{"inbox_id": id_, "account": account, "read_at": now} for id_ in connection.scalars(own)]
    if not rows:
        return 0
    statement = insert(NOTICE_READS).values(rows).on_conflict_do_nothing()
    return len(connection.execute(statement.returning(NOTICE_READS.c.inbox_id)).all())


def _wanted(department: str, account: str) -> Select[Any]:
    mine = and_(NOTICE_READS.c.inbox_id == NOTICE_INBOX.c.id, NOTICE_READS.c.account == account)
    joined = NOTICE_INBOX.join(NOTICE_EVENTS).outerjoin(NOTICE_READS, mine)
    columns = (
        NOTICE_INBOX.c.id,
        NOTICE_INBOX.c.audience,
        NOTICE_EVENTS.c.key,
        NOTICE_EVENTS.c.kind,
        NOTICE_EVENTS.c.happened_at,
        NOTICE_EVENTS.c.facts,
        NOTICE_READS.c.read_at,
    )
    return select(*columns).select_from(joined).where(NOTICE_INBOX.c.department == department)


def _received(row: Row[Any]) -> Received:
    return Received(row.id, happened_of(row), Audience(row.audience), row.read_at)
