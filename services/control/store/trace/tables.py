"""The tables of the person trace's index: keyed hashes and coordinates, and how far the topics were read."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.control.store.metadata import INSTANT, METADATA

TRACE_STATE: Final = Table(
    "trace_state",
    METADATA,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("key_version", Integer, nullable=False),
    Column("policy_next", BigInteger, nullable=False, server_default=text("0")),
    Column("complete_until", INSTANT),
    Column("incomplete_before", INSTANT),
    Column("untraceable", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("one = 1", name="one"),
)
"""One row: what the hashes are made with, and of which stretch of time the index has everything."""

TRACE_TOPICS: Final = Table(
    "trace_topics",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    UniqueConstraint("topic"),
)

TRACE_PLACES: Final = Table(
    "trace_places",
    METADATA,
    Column("topic_id", Integer, ForeignKey("trace_topics.id"), primary_key=True, autoincrement=False),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)
"""Up to where each partition was read: written in the transaction of what was read."""

TRACE_SUBJECTS: Final = Table(
    "trace_subjects",
    METADATA,
    Column("subject", Uuid(), nullable=False),
    Column("entity", Uuid(), nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("record_offset", BigInteger, nullable=False),
    Column("topic_id", Integer, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("withdrawn", SmallInteger, nullable=False),
    Index("ix_trace_subjects_subject", "subject"),
    Index("ix_trace_subjects_entity", "entity"),
    Index("ix_trace_subjects_change", "change"),
    Index("ix_trace_subjects_at_ms", "at_ms", postgresql_using="brin"),
)
"""Canonical records: about whom, of which change."""

TRACE_DELIVERIES: Final = Table(
    "trace_deliveries",
    METADATA,
    Column("change", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("record_offset", BigInteger, nullable=False),
    Column("policy_version", BigInteger, nullable=False),
    Column("topic_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("written", SmallInteger, nullable=False),
    Index("ix_trace_deliveries_change", "change"),
    Index("ix_trace_deliveries_at_ms", "at_ms", postgresql_using="brin"),
)
"""Records of grants' topics: of which change. Without a key: a partition is read once, under a lock."""

TRACE_TERMS: Final = Table(
    "trace_terms",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("from_version", BigInteger, primary_key=True, autoincrement=False),
    Column("grant_id", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
)
"""What each grant said, from the policy version on in which it began to say so."""

TRACE_ACQUIRED: Final = Table(
    "trace_acquired",
    METADATA,
    Column("grant_id", Text, primary_key=True),
    Column("consumer_group", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("committed", BigInteger, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("id", Integer, Identity(always=True), nullable=False),
    UniqueConstraint("id"),
)
"""How far each group of a department was seen to have committed, as the ledger was told last."""

TRACE_ACQUIRED_STEPS: Final = Table(
    "trace_acquired_steps",
    METADATA,
    Column("acquired_id", Integer, ForeignKey("trace_acquired.id"), primary_key=True, autoincrement=False),
    Column("committed", BigInteger, primary_key=True, autoincrement=False),
    Column("seen_at", INSTANT, nullable=False),
    Index("ix_trace_acquired_steps_seen_at", "seen_at", postgresql_using="brin"),
)
"""Each step forward of a group, one a look at most: by the first one past a record it was acquired."""
