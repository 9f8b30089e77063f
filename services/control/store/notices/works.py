"""Announced maintenance: kept, told to everybody, and looked at again when a year's holidays are known."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from services.control.clocks.calendar import Calendar
from services.control.notices.maintenance import Announced, Work, cancel, still_in_time
from services.control.store import outbox
from services.control.store.notices.happenings import tell
from services.control.store.notices.tables import MAINTENANCE_WORKS, WorkState

_W = MAINTENANCE_WORKS


def keep(
    connection: Connection, announced: Announced, *, notice_days: int, who: str, event: UUID, now: datetime
) -> None:
    """Keep an announcement that the rules have let through, and tell everybody; the id of the work is new."""
    work = announced.work
    connection.execute(
        _W.insert().values(
            id=UUID(work.id),
            begin_at=work.begin,
            end_at=work.end,
            departments=list(work.departments),
            state=WorkState.ANNOUNCED.value,
            announced_at=now,
            notice_days=notice_days,
            waits_for=announced.waits_for,
        )
    )
    _act(connection, "maintenance.announce", work.id, who, now)
    tell(connection, announced.happened, event, now)


def call_off(connection: Connection, id_: UUID, *, who: str, event: UUID, now: datetime) -> bool:
    """Cancel it and tell everybody; return whether it was announced and has not begun."""
    statement = (
        update(_W)
        .where(_W.c.id == id_, _W.c.state == WorkState.ANNOUNCED.value, _W.c.begin_at > now)
        .values(state=WorkState.CANCELLED.value, cancelled_at=now)
    )
    row = connection.execute(statement.returning(*_W.c)).first()
    if row is None:
        return False
    _act(connection, "maintenance.cancel", str(id_), who, now)
    return tell(connection, cancel(_work(row), now), event, now)


def coming(connection: Connection, now: datetime) -> list[Work]:
    """Announced work that is not over yet, the next first."""
    wanted = select(_W).where(_W.c.state == WorkState.ANNOUNCED.value, _W.c.end_at > now)
    return [_work(row) for row in connection.execute(wanted.order_by(_W.c.begin_at))]


def too_short_now(connection: Connection, calendar: Calendar, now: datetime) -> list[Work]:
    """Announced work that has not begun and whose notice turned out too short: it must be moved or cancelled.

    Only announcements that waited for a year's holidays can change; the others were final.
    """
    wanted = select(_W).where(
        _W.c.state == WorkState.ANNOUNCED.value, _W.c.begin_at > now, _W.c.waits_for.is_not(None)
    )
    return [
        _work(row)
        for row in connection.execute(wanted.order_by(_W.c.begin_at))
        if not still_in_time(_work(row), calendar, row.announced_at, row.notice_days)
    ]


def _act(connection: Connection, what: str, id_: str, who: str, now: datetime) -> None:
    outbox.append(connection, outbox.Act(who=who, what=what, kind="maintenance", object=id_, when=now))


def _work(row: Row[Any]) -> Work:
    return Work(str(row.id), row.begin_at, row.end_at, tuple(row.departments))
