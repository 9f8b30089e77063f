"""The tables of objections: what was objected to, what it has come to, and the events that never change."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from services.control.objections.words import Action, State
from services.control.store.metadata import INSTANT, METADATA, one_of

OBJECTIONS: Final = Table(
    "objections",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("entry_id", Uuid(), ForeignKey("catalogue_entries.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("text", Text, nullable=False),
    Column("reference", Text, nullable=False),
    # What its events come to.
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    one_of("state", State),
    Index("ix_objections_state_number", "state", "number"),
    Index("ix_objections_provider_number", "provider", "number"),
)
"""What was objected to, and the fold of the events."""

EVENTS: Final = Table(
    "objection_events",
    METADATA,
    Column("objection_id", Uuid(), ForeignKey("objections.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("days", SmallInteger),
    Column("approver", Text, nullable=False),
    one_of("action", Action),
)
"""What happened to an objection, numbered from 1; a trigger refuses to change or delete a row."""
