"""The tables of tickets: events that never change, what they come to for lists, notices owed, disputes."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.control.store.metadata import INSTANT, METADATA, one_of
from services.control.tickets.words import Action, Duty, NoticeKind, State
from topics.disputes import Act

TICKETS: Final = Table(
    "tickets",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("opening", JSONB, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    Column("due_on", Date),
    Column("due_for", Text),
    Column("due_provisional", Boolean),
    one_of("state", State),
    one_of("due_for", Duty),
    Index("ix_tickets_state_number", "state", "number"),
    Index("ix_tickets_reporter_number", "reporter", "number"),
    Index("ix_tickets_provider_number", "provider", "number"),
    Index("ix_tickets_record", "resource", "record"),
    Index("ix_tickets_due_on_number", "due_on", "number", postgresql_where=text("due_on IS NOT NULL")),
)
"""What a ticket was opened with, and the fold of its events; a record is a keyed hash."""

EVENTS: Final = Table(
    "ticket_events",
    METADATA,
    Column("ticket_id", Uuid(), ForeignKey("tickets.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("recorder", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    one_of("action", Action),
)
"""What happened, numbered from 1 for each ticket; a trigger refuses to change or delete a row."""

NOTICES: Final = Table(
    "ticket_notices",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("ticket_id", Uuid(), ForeignKey("tickets.id"), nullable=False),
    Column("consumer", Text, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("owed_at", INSTANT, nullable=False),
    Column("told_at", INSTANT),
    Column("dropped_at", INSTANT),
    one_of("kind", NoticeKind),
    Index(
        "uq_ticket_notices_owed",
        "ticket_id",
        "consumer",
        "grant_id",
        unique=True,
        postgresql_where=text("told_at IS NULL AND dropped_at IS NULL"),
    ),
    Index(
        "ix_ticket_notices_owed_at",
        "owed_at",
        postgresql_where=text("told_at IS NULL AND dropped_at IS NULL"),
    ),
)
"""Whom is owed what: told, or dropped because something else holds now."""

DISPUTES: Final = Table(
    "dispute_changes",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("ticket_id", Uuid(), ForeignKey("tickets.id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("dispute", Text, nullable=False),
    Column("contested", JSONB(none_as_null=True)),
    Column("appended_at", INSTANT, nullable=False),
    one_of("act", Act),
    Index("ix_dispute_changes_dispute", "dispute", "number"),
)
"""The changes of the disputes in the order of the topic that the fan-out reads, numbered without gaps."""

FILES: Final = Table(
    "ticket_files",
    METADATA,
    Column("ticket_id", Uuid(), ForeignKey("tickets.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False),
)
"""What was attached to a ticket, for its parties to read; removed some time after the ticket is over."""

COMMANDS: Final = Table(
    "ticket_commands",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("answer", JSONB(none_as_null=True)),
    Column("recorded_at", INSTANT, nullable=False),
    Index("ix_ticket_commands_recorded_at", "recorded_at"),
)
"""What was answered under which key, so that no order is carried out twice."""
