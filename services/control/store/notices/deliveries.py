"""The deliveries that are owed: taken for one attempt each, then delivered, due again, or dead with a reason.

An attempt is counted when it is taken, in a transaction of its own, and the delivery is due again when the
lease is over. So a courier that dies in the middle delays a notice and may send it twice; it never loses one,
and a notice that kills couriers dies itself after its last attempt.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, Update, exists, select, update

from services.control.notices.event import Happened
from services.control.notices.retrying import Again, Dead, Failure
from services.control.notices.words import Audience, Channel
from services.control.store.notices.addresses import KnownAddress, address_of
from services.control.store.notices.happenings import happened_of
from services.control.store.notices.tables import (
    NOTICE_ADDRESSES,
    NOTICE_DELIVERIES,
    NOTICE_EVENTS,
    Progress,
)
from services.control.store.outbox import Act, append

_D = NOTICE_DELIVERIES


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that one attempt is made of."""

    id: int
    event: UUID
    happened: Happened
    audience: Audience
    channel: Channel
    attempt: int
    """The number of this attempt, from 1."""
    address: KnownAddress


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery as people see it, without what was said."""

    id: int
    department: str
    address: int
    target: str
    """Where it goes: for the department itself and who runs the bus."""
    kind: str
    happened_at: datetime
    channel: Channel
    progress: Progress
    attempts: int
    due_at: datetime
    failure: Failure | None
    detail: str


def take(
    connection: Connection, due: datetime, leased_until: datetime, channels: Collection[Channel]
) -> Taken | None:
    """Take the oldest delivery that is due, a letter of its own or a webhook; None where there is none.

    Args:
        connection: in a transaction that ends before anything is sent.
        due: what is due by then.
        leased_until: when it is due again if the courier says nothing more of it.
        channels: by which it may go.
    """
    one = (
        select(_D.c.id)
        .where(
            _is_due(due), _D.c.channel.in_([each.value for each in channels if each is not Channel.DIGEST])
        )
        .order_by(_D.c.due_at, _D.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(one).scalar()
    return None if found is None else _taken(connection, leased_until, _D.c.id == found)[0]


def take_digest(connection: Connection, due: datetime, leased_until: datetime) -> list[Taken]:
    """Take all that is due for the digest of one mailbox; empty where no mailbox has any.

    The mailbox is locked meanwhile, so that two couriers do not make two letters of one digest.
    """
    of_digest = _is_due(due) & (_D.c.channel == Channel.DIGEST.value)
    has_any = exists().where(_D.c.address_id == NOTICE_ADDRESSES.c.id, of_digest)
    one = select(NOTICE_ADDRESSES.c.id).where(has_any).order_by(NOTICE_ADDRESSES.c.id).limit(1)
    address = connection.execute(one.with_for_update(skip_locked=True)).scalar()
    if address is None:
        return []
    return _taken(connection, leased_until, of_digest & (_D.c.address_id == address))


def delivered(connection: Connection, taken: Collection[Taken], now: datetime) -> None:
    """Note that these have arrived."""
    for each in taken:
        values = {"progress": Progress.DELIVERED.value, "ended_at": now, "failure": None, "detail": ""}
        connection.execute(_still(each).values(values))


def failed(connection: Connection, taken: Taken, outcome: Again | Dead, now: datetime) -> None:
    """Note that an attempt failed: when the next one is, or why there is none."""
    said = {"failure": outcome.failure.value, "detail": outcome.detail}
    if isinstance(outcome, Again):
        connection.execute(_still(taken).values(due_at=outcome.at, **said))
    else:
        connection.execute(_still(taken).values(progress=Progress.DEAD.value, ended_at=now, **said))


def revive(connection: Connection, id_: int, *, who: str, now: datetime) -> bool:
    """Try a dead delivery from the beginning, as an act for the ledger; return whether it was dead."""
    statement = (
        update(_D)
        .where(_D.c.id == id_, _D.c.progress == Progress.DEAD.value)
        .values(progress=Progress.WAITING.value, ended_at=None, attempts=0, due_at=now)
    )
    if connection.execute(statement).rowcount != 1:
        return False
    append(connection, Act(who, "notice.tried_anew", "notice_delivery", str(id_), now))
    return True


def one(connection: Connection, id_: int) -> Letter | None:
    """One delivery; None where there is none."""
    row = connection.execute(_joined().where(_D.c.id == id_)).first()
    return None if row is None else _letter(row)


def listed(
    connection: Connection,
    progress: Progress | None = None,
    *,
    department: str | None = None,
    limit: int = 100,
) -> list[Letter]:
    """Deliveries that are so far, or all, the latest first: of one department, or of all."""
    wanted = _joined().order_by(_D.c.id.desc()).limit(limit)
    if progress is not None:
        wanted = wanted.where(_D.c.progress == progress.value)
    if department is not None:
        wanted = wanted.where(NOTICE_ADDRESSES.c.department == department)
    return [_letter(row) for row in connection.execute(wanted)]


def _is_due(due: datetime) -> ColumnElement[bool]:
    return (_D.c.progress == Progress.WAITING.value) & (_D.c.due_at <= due)


def _still(taken: Taken) -> Update:
    """Whoever took it again after the lease decides; a late answer changes nothing."""
    return update(_D).where(
        _D.c.id == taken.id,
        _D.c.progress == Progress.WAITING.value,
        _D.c.attempts == taken.attempt,
    )


def _taken(connection: Connection, leased_until: datetime, which: ColumnElement[bool]) -> list[Taken]:
    statement = update(_D).where(which).values(attempts=_D.c.attempts + 1, due_at=leased_until)
    ids = list(connection.scalars(statement.returning(_D.c.id)))
    wanted = _joined().where(_D.c.id.in_(ids)).order_by(_D.c.id)
    return [_one_taken(row) for row in connection.execute(wanted)]


def _joined() -> Select[Any]:
    event = (NOTICE_EVENTS.c.key, NOTICE_EVENTS.c.kind, NOTICE_EVENTS.c.happened_at, NOTICE_EVENTS.c.facts)
    address = [column.label(f"address_{column.name}") for column in NOTICE_ADDRESSES.c]
    delivery = [column.label(f"delivery_{column.name}") for column in _D.c]
    return select(*delivery, *event, *address).select_from(_D.join(NOTICE_EVENTS).join(NOTICE_ADDRESSES))


def _one_taken(row: Row[Any]) -> Taken:
    return Taken(
        row.delivery_id,
        row.delivery_event_id,
        happened_of(row),
        Audience(row.delivery_audience),
        Channel(row.delivery_channel),
        row.delivery_attempts,
        address_of(row, "address_"),
    )


def _letter(row: Row[Any]) -> Letter:
    failure = row.delivery_failure
    return Letter(
        row.delivery_id,
        row.address_department,
        row.address_id,
        row.address_target,
        row.kind,
        row.happened_at,
        Channel(row.delivery_channel),
        Progress(row.delivery_progress),
        row.delivery_attempts,
        row.delivery_due_at,
        None if failure is None else Failure(failure),
        row.delivery_detail,
    )
