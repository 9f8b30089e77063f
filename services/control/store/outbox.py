"""What a change owes to the world: written in the transaction of the change, sent when that is committed.

An act goes to the ledger. A document goes to the policy topic. Whoever changes an object locks its row first
and appends then: so the entries of one object stand in the order of its changes. Entries of different objects
are concurrent, and an entry that is committed late is sent late, but never left out.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Index,
    Row,
    Table,
    Text,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.control.store.metadata import INSTANT, METADATA, one_of

Fact = str | int | bool | None
_ID: Final = re.compile(r"[!-~]{1,200}")
_SENDER_LOCK: Final = 4_207_002


def is_id(text: str) -> bool:
    """Whether a text may stand for a person or a thing in an act: it is ASCII and has no spaces."""
    return _ID.fullmatch(text) is not None


class Channel(StrEnum):
    """Where an entry goes."""

    LEDGER = "ledger"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to which object, when and why; it holds no personal data.

    ``who`` is the id of an account, never a name; ``what`` is a word such as ``catalogue.publish``; ``kind``
    and ``object`` say which object, ``facts`` what else the ledger shall say of it.

    Raises:
        ValueError: an id is no id, or the time has no zone.
    """

    who: str
    what: str
    kind: str
    object: str
    when: datetime
    reason: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("who", "what", "kind", "object"):
            if not is_id(getattr(self, name)):
                raise ValueError(f"{name} of an act is an id of printable ASCII without spaces")
        if self.when.tzinfo is None:
            raise ValueError("the time of an act has a zone")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to send; ``document`` is what goes to the policy topic, None for the ledger."""

    id: int
    channel: Channel
    act: Act
    recorded_at: datetime
    """When its transaction began, by the database's clock: nobody can have sent it before."""
    document: Mapping[str, Any] | None = None


OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("acted_at", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("document", JSONB(none_as_null=True)),
    Column("recorded_at", INSTANT, nullable=False, server_default=func.now()),
    Column("sent_at", INSTANT),
    one_of("channel", Channel),
    Index("ix_outbox_unsent", "channel", "id", postgresql_where=text("sent_at IS NULL")),
    Index("ix_outbox_object", "kind", "object", "id"),
)


def answering(person: str, recorder: str = "") -> tuple[str, dict[str, Fact]]:
    """Who stands in the ledger, and what it says besides, where one account enters what another one decides.

    Args:
        person: who decides.
        recorder: who enters it, such as the login at a shell; empty where nobody stands between.
    """
    return (person, {}) if recorder in ("", person) else (recorder, {"for": person})


def append(connection: Connection, act: Act) -> None:
    """Owe an act to the ledger."""
    append_all(connection, [act])


def append_all(connection: Connection, acts: Sequence[Act]) -> None:
    """Owe several acts to the ledger, in this order."""
    if acts:
        connection.execute(OUTBOX.insert(), [_values(Channel.LEDGER, act) for act in acts])


def append_document(connection: Connection, act: Act, document: Mapping[str, Any]) -> None:
    """Owe a document to the policy topic; the act says who made it, and goes to the ledger by itself."""
    connection.execute(OUTBOX.insert(), [{**_values(Channel.POLICY, act), "document": dict(document)}])


def pending(connection: Connection, channel: Channel, limit: int = 100) -> list[Entry]:
    """What is to be sent next, oldest first; empty while another sender is at work.

    The connection's transaction is the sender's turn: it sends, calls ``mark_sent`` and commits. If it ends
    before, the entries come again: whoever receives them must know them by their id.
    """
    turn = func.pg_try_advisory_xact_lock(_SENDER_LOCK, list(Channel).index(channel))
    if not connection.execute(select(turn)).scalar_one():
        return []
    wanted = select(OUTBOX).where(OUTBOX.c.channel == channel, OUTBOX.c.sent_at.is_(None))
    return [_entry(row) for row in connection.execute(wanted.order_by(OUTBOX.c.id).limit(limit))]


def mark_sent(connection: Connection, ids: Collection[int], when: datetime) -> None:
    """Note that the receiver has confirmed these entries."""
    if ids:
        connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(sent_at=when))


def acts_on(connection: Connection, kind: str, object_: str) -> list[Act]:
    """All acts on an object, oldest first, sent or not."""
    wanted = select(OUTBOX).where(
        OUTBOX.c.kind == kind, OUTBOX.c.object == object_, OUTBOX.c.channel == Channel.LEDGER
    )
    return [_entry(row).act for row in connection.execute(wanted.order_by(OUTBOX.c.id))]


def entries_on(
    connection: Connection, kind: str, object_: str, after: int = 0, limit: int = 50
) -> list[Entry]:
    """Some acts on an object, oldest first, sent or not; ``after`` is the id of the last one before."""
    wanted = select(OUTBOX).where(
        OUTBOX.c.kind == kind,
        OUTBOX.c.object == object_,
        OUTBOX.c.channel == Channel.LEDGER,
        OUTBOX.c.id > after,
    )
    return [_entry(row) for row in connection.execute(wanted.order_by(OUTBOX.c.id).limit(limit))]


def _values(channel: Channel, act: Act) -> dict[str, Any]:
    return {
        "channel": channel.value,
        "who": act.who,
        "what": act.what,
        "kind": act.kind,
        "object": act.object,
        "acted_at": act.when,
        "reason": act.reason,
        "facts": dict(act.facts),
    }


def _entry(row: Row[Any]) -> Entry:
    act = Act(row.who, row.what, row.kind, row.object, row.acted_at, row.reason, row.facts)
    return Entry(row.id, Channel(row.channel), act, row.recorded_at, row.document)
