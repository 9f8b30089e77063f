"""The table of rulings: what the authority decided of which column, and how far that is on the bus."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.control.ownership.decided import Stage
from services.control.store.metadata import INSTANT, METADATA, one_of
from topics.ownership import Decision

OWNERSHIP_RULINGS: Final = Table(
    "ownership_rulings",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("claimant", Text, nullable=False),
    Column("source_column", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("recorder", Text, nullable=False, server_default=text("''")),
    Column("given_at", INSTANT, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("next_at", INSTANT),
    Column("version", BigInteger),
    Column("in_force_at", INSTANT),
    Column("instances", JSONB, nullable=False, server_default=text("'{}'")),
    Column("resources", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("losing", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    one_of("decision", Decision),
    one_of("stage", Stage),
    CheckConstraint("stage NOT IN ('written', 'in_force') OR version IS NOT NULL", name="version"),
    CheckConstraint("(stage = 'in_force') = (in_force_at IS NOT NULL)", name="in_force"),
    Index("ix_ownership_rulings_claimant_source_column", "claimant", "source_column", "number"),
    Index(
        "ix_ownership_rulings_open",
        "number",
        postgresql_where=text("stage IN ('decided', 'written')"),
    ),
)
"""What was decided is never changed; only how far it is goes on."""
