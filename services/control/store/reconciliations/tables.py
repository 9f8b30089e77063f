"""The table of reconciliations: what each comparison of a resource with its source found."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.control.store.metadata import INSTANT, METADATA

RECONCILIATIONS: Final = Table(
    "reconciliations",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("compared_at", INSTANT, nullable=False),
    Column("cut", Text, nullable=False),
    Column("same", Boolean, nullable=False),
    Column("source_rows", BigInteger, nullable=False),
    Column("source_digest", Text, nullable=False),
    Column("canonical_rows", BigInteger, nullable=False),
    Column("canonical_digest", Text, nullable=False),
    Column("differences", BigInteger, nullable=False),
    Column("explained", BigInteger, nullable=False),
    Column("document", JSONB, nullable=False),
    Index("ix_reconciliations_resource_compared_at", "resource", "compared_at"),
)
"""``document`` is the answer of docs/cli/reconcile.schema.json, without any value of a row."""
