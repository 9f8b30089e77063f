"""The tables of needs: what was stated and what it has come to, and the events that never change."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from services.control.demand.words import Action, DeclineReason, State
from services.control.store.metadata import INSTANT, METADATA, one_of

NEEDS: Final = Table(
    "needs",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("department", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("stated_at", INSTANT, nullable=False),
    Column("stated_subject", Text, nullable=False),
    Column("items", ARRAY(Text), nullable=False),
    Column("scenario", Text, nullable=False),
    Column("basis_document", Text, nullable=False),
    Column("basis_article", Text, nullable=False),
    Column("stated_code", Text),
    # What its events come to.
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_key", Text, nullable=False),
    Column("assigned_to", Text),
    Column("code", Text),
    Column("entry_id", Uuid(), ForeignKey("catalogue_entries.id")),
    Column("reason", Text),
    Column("answer", Text, nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    one_of("state", State),
    one_of("reason", DeclineReason),
    Index("ix_needs_state_number", "state", "number"),
    Index("ix_needs_assigned_to_subject_key", "assigned_to", "subject_key"),
)
"""What was stated, and the fold of the events."""

EVENTS: Final = Table(
    "need_events",
    METADATA,
    Column("need_id", Uuid(), ForeignKey("needs.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reason", Text),
    Column("assigned_to", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("code", Text),
    Column("entry_id", Uuid(), ForeignKey("catalogue_entries.id")),
    one_of("action", Action),
    one_of("reason", DeclineReason),
)
"""What happened to a need, numbered from 1; a trigger refuses to change or delete a row."""
