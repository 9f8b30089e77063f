"""Tells departments what happened: the event once, an inbox row for each, a delivery for each address.

All of it stands in the transaction of the change that it tells of, so that nobody is told of what did not
happen, and nothing that happened is left untold.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from services.control.notices.event import Facts, Happened, Told, told
from services.control.notices.shown import HIDDEN, Fact, is_name
from services.control.notices.words import NAMES, Audience, Channel, Kind, Slot
from services.control.store.notices.tables import (
    NOTICE_ADDRESSES,
    NOTICE_DELIVERIES,
    NOTICE_EVENTS,
    NOTICE_INBOX,
    Progress,
    Way,
)

_WAYS = {Way.EMAIL: (Channel.EMAIL, Channel.DIGEST), Way.WEBHOOK: (Channel.WEBHOOK,)}


def tell(
    connection: Connection,
    happened: Happened,
    id_: UUID,
    digest_at: datetime,
    mailboxes: Collection[int] = (),
) -> bool:
    """Tell everybody whom the table names, and return whether it was news.

    Args:
        connection: in the transaction of the change.
        happened: what is told; the same key is told once, whoever tells it again.
        id_: of the event, if it is news.
        digest_at: when the next digest leaves.
        mailboxes: to which of the addresses a letter goes at once, whatever the table says.
    """
    row = {
        "id": id_,
        "key": happened.key,
        "kind": happened.kind.value,
        "happened_at": happened.at,
        "facts": _written(happened.facts),
    }
    statement = insert(NOTICE_EVENTS).values(row).on_conflict_do_nothing(index_elements=["key"])
    if connection.execute(statement.returning(NOTICE_EVENTS.c.id)).first() is None:
        return False
    recipients = told(happened)
    _fill_inboxes(connection, id_, recipients)
    _owe_deliveries(connection, id_, happened.at, digest_at, recipients)
    _owe_letters(connection, id_, happened.at, mailboxes)
    return True


def tell_all(connection: Connection, news: Iterable[tuple[UUID, Happened]], digest_at: datetime) -> int:
    """Tell several things, and return how many of them were news."""
    return sum(tell(connection, happened, id_, digest_at) for id_, happened in news)


def happened_of(row: Row[Any]) -> Happened:
    """What a row of the events says; who was told stands in inboxes and deliveries."""
    return Happened(row.key, Kind(row.kind), row.happened_at, {}, _read(row.facts))


def remove_before(connection: Connection, moment: datetime, limit: int = 1_000) -> int:
    """Remove what happened before, with inbox rows and deliveries, unless something still waits.

    The oldest first, so many at most; returns how many.
    """
    waiting = exists().where(
        NOTICE_DELIVERIES.c.event_id == NOTICE_EVENTS.c.id,
        NOTICE_DELIVERIES.c.progress == Progress.WAITING.value,
    )
    old = select(NOTICE_EVENTS.c.id).where(NOTICE_EVENTS.c.happened_at < moment, ~waiting)
    some = old.order_by(NOTICE_EVENTS.c.happened_at).limit(limit).scalar_subquery()
    return connection.execute(delete(NOTICE_EVENTS).where(NOTICE_EVENTS.c.id.in_(some))).rowcount


def _fill_inboxes(connection: Connection, event: UUID, recipients: tuple[Told, ...]) -> None:
    rows = [
        {"event_id": event, "department": each.department, "audience": each.audience.value}
        for each in recipients
        if Channel.INBOX in each.channels
    ]
    if rows:
        connection.execute(NOTICE_INBOX.insert(), rows)


def _owe_deliveries(
    connection: Connection, event: UUID, at: datetime, digest_at: datetime, recipients: tuple[Told, ...]
) -> None:
    by_department = {each.department: each for each in recipients}
    wanted = select(NOTICE_ADDRESSES.c.id, NOTICE_ADDRESSES.c.department, NOTICE_ADDRESSES.c.way).where(
        NOTICE_ADDRESSES.c.department.in_(by_department), NOTICE_ADDRESSES.c.active
    )
    rows = [
        _delivery(event, address.id, by_department[address.department].audience, channel, at, digest_at)
        for address in connection.execute(wanted)
        for channel in _WAYS[Way(address.way)]
        if channel in by_department[address.department].channels
    ]
    if rows:
        connection.execute(NOTICE_DELIVERIES.insert(), rows)


def _owe_letters(connection: Connection, event: UUID, at: datetime, mailboxes: Collection[int]) -> None:
    letters = [_delivery(event, each, Audience.CONSUMER, Channel.EMAIL, at, at) for each in mailboxes]
    if letters:
        connection.execute(NOTICE_DELIVERIES.insert(), letters)


def _delivery(
    event: UUID, address: int, audience: Audience, channel: Channel, at: datetime, digest_at: datetime
) -> dict[str, Any]:
    return {
        "event_id": event,
        "address_id": address,
        "audience": audience.value,
        "channel": channel.value,
        "progress": Progress.WAITING.value,
        "attempts": 0,
        "due_at": digest_at if channel is Channel.DIGEST else at,
        "detail": "",
    }


def _written(facts: Facts) -> dict[str, list[str | int]]:
    return {slot.value: _one_written(slot, fact) for slot, fact in facts.items()}


def _one_written(slot: Slot, fact: Fact) -> list[str | int]:
    """A fact with its type; a text that is no id of ours is not even kept."""
    if isinstance(fact, datetime):
        return ["at", fact.isoformat()]
    if isinstance(fact, date):
        return ["day", fact.isoformat()]
    if isinstance(fact, int):
        return ["number", fact]
    return ["name", fact if slot in NAMES and is_name(fact) else HIDDEN]


def _read(facts: dict[str, list[Any]]) -> Facts:
    return {Slot(slot): _one_read(kind, value) for slot, (kind, value) in facts.items()}


def _one_read(kind: str, value: Any) -> Fact:
    match kind:
        case "at":
            return datetime.fromisoformat(value)
        case "day":
            return date.fromisoformat(value)
        case "number":
            return int(value)
        case _:
            return str(value)
