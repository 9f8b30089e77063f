"""Announced maintenance: kept, told to everybody, and looked at again when a year's holidays are known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select, update

from services.control.clocks.calendar import Calendar
from services.control.notices.maintenance import Announced, Work, cancel, still_in_time
from services.control.store import outbox
from services.control.store.notices.happenings import tell
from services.control.store.notices.tables import MAINTENANCE_WORKS, WorkState

_W = MAINTENANCE_WORKS


@dataclass(frozen=True, slots=True)
class Kept:
    """An announcement as it is kept."""

    work: Work
    state: WorkState
    announced_at: datetime
    notice_days: int
    """The working days that had to lie between the notice and the work."""
    waits_for: int | None
    """The year whose notice on holidays may still make it too short."""
    cancelled_at: datetime | None

    def is_too_short(self, calendar: Calendar) -> bool:
        """Whether the notice turned out too short by the calendar as it is known now."""
        # Only announcements that waited for a year's holidays can change; the others were final.
        return self.waits_for is not None and not still_in_time(
            self.work, calendar, self.announced_at, self.notice_days
        )


def keep(
    connection: Connection,
    announced: Announced,
    *,
    notice_days: int,
    who: str,
    event: UUID,
    now: datetime,
    why: str = "",
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
    _act(connection, "maintenance.announce", work.id, who, now, why)
    tell(connection, announced.happened, event, now)


def call_off(
    connection: Connection, id_: UUID, *, who: str, event: UUID, now: datetime, why: str = ""
) -> bool:
    """Cancel it and tell everybody; return whether it was announced and has not begun."""
    statement = (
        update(_W)
        .where(_W.c.id == id_, _W.c.state == WorkState.ANNOUNCED.value, _W.c.begin_at > now)
        .values(state=WorkState.CANCELLED.value, cancelled_at=now)
    )
    row = connection.execute(statement.returning(*_W.c)).first()
    if row is None:
        return False
    _act(connection, "maintenance.cancel", str(id_), who, now, why)
    return tell(connection, cancel(_work(row), now), event, now)


def coming(connection: Connection, now: datetime) -> list[Kept]:
    """Announced work that is not over yet, the next first."""
    return _kept(connection, _W.c.state == WorkState.ANNOUNCED.value, _W.c.end_at > now)


def one(connection: Connection, id_: UUID) -> Kept | None:
    """One announcement, also after it was called off or is over."""
    found = _kept(connection, _W.c.id == id_)
    return found[0] if found else None


def _kept(connection: Connection, *which: ColumnElement[bool]) -> list[Kept]:
    wanted = select(_W).where(*which).order_by(_W.c.begin_at, _W.c.id)
    return [
        Kept(
            _work(row),
            WorkState(row.state),
            row.announced_at,
            row.notice_days,
            row.waits_for,
            row.cancelled_at,
        )
        for row in connection.execute(wanted)
    ]


def _act(connection: Connection, what: str, id_: str, who: str, now: datetime, why: str) -> None:
    act = outbox.Act(who=who, what=what, kind="maintenance", object=id_, when=now, reason=why)
    outbox.append(connection, act)


def _work(row: Row[Any]) -> Work:
    return Work(str(row.id), row.begin_at, row.end_at, tuple(row.departments))
