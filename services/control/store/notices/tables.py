"""The tables of notices: what happened, inboxes, where else a department is told, and each delivery."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.control.notices.retrying import Failure
from services.control.notices.words import Audience, Channel, Kind, Language
from services.control.store.metadata import INSTANT, METADATA, one_of


class Way(StrEnum):
    """Where an address is: letters go to mailboxes, webhooks to endpoints."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class Progress(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class WorkState(StrEnum):
    """What became of announced maintenance."""

    ANNOUNCED = "announced"
    CANCELLED = "cancelled"


NOTICE_EVENTS: Final = Table(
    "notice_events",
    METADATA,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=func.now()),
    one_of("kind", Kind),
    UniqueConstraint("key"),
    Index("ix_notice_events_happened_at", "happened_at"),
)
"""Each thing that departments are told of, once, whatever calls twice."""

NOTICE_INBOX: Final = Table(
    "notice_inbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", ForeignKey(NOTICE_EVENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("department", Text, nullable=False),
    Column("audience", Text, nullable=False),
    one_of("audience", Audience),
    UniqueConstraint("event_id", "department"),
    Index("ix_notice_inbox_department_id", "department", "id"),
)

NOTICE_READS: Final = Table(
    "notice_reads",
    METADATA,
    Column("inbox_id", ForeignKey(NOTICE_INBOX.c.id, ondelete="CASCADE"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("read_at", INSTANT, nullable=False),
)
"""Who of the department has seen it: one clerk's look does not hide it from the others."""

NOTICE_ADDRESSES: Final = Table(
    "notice_addresses",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("department", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("previous_until", INSTANT),
    Column("added_at", INSTANT, nullable=False),
    one_of("way", Way),
    one_of("language", Language),
    CheckConstraint("secret_version >= 1", name="secret_version"),
    UniqueConstraint("department", "way", "target"),
)
"""A mailbox or an endpoint, of a department or an account (`addresses.of_account`).

Of a secret it holds the version only (`signature.secret_of`).
"""

NOTICE_DELIVERIES: Final = Table(
    "notice_deliveries",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", ForeignKey(NOTICE_EVENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("address_id", ForeignKey(NOTICE_ADDRESSES.c.id, ondelete="CASCADE"), nullable=False),
    Column("audience", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("failure", Text),
    Column("detail", Text, nullable=False),
    Column("ended_at", INSTANT),
    one_of("audience", Audience),
    one_of("channel", Channel),
    one_of("progress", Progress),
    one_of("failure", Failure),
    CheckConstraint("(progress = 'waiting') = (ended_at IS NULL)", name="ended"),
    CheckConstraint("progress <> 'dead' OR failure IS NOT NULL", name="dead_has_a_reason"),
    UniqueConstraint("event_id", "address_id"),
    Index("ix_notice_deliveries_waiting", "due_at", postgresql_where=text("progress = 'waiting'")),
    Index("ix_notice_deliveries_address_id", "address_id"),
)

MAINTENANCE_WORKS: Final = Table(
    "maintenance_works",
    METADATA,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("begin_at", INSTANT, nullable=False),
    Column("end_at", INSTANT, nullable=False),
    Column("departments", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("announced_at", INSTANT, nullable=False),
    Column("notice_days", Integer, nullable=False),
    Column("waits_for", Integer),
    Column("cancelled_at", INSTANT),
    one_of("state", WorkState),
    CheckConstraint("end_at > begin_at", name="times"),
    CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
)
