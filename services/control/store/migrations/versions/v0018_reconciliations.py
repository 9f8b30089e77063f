"""What reconciliations of resources with their sources found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0018"
down_revision: str | None = "0016"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("same", sa.Boolean, nullable=False),
        sa.Column("source_rows", sa.BigInteger, nullable=False),
        sa.Column("source_digest", sa.Text, nullable=False),
        sa.Column("canonical_rows", sa.BigInteger, nullable=False),
        sa.Column("canonical_digest", sa.Text, nullable=False),
        sa.Column("differences", sa.BigInteger, nullable=False),
        sa.Column("explained", sa.BigInteger, nullable=False),
        sa.Column("document", JSONB, nullable=False),
    )
    op.create_index("ix_reconciliations_resource_compared_at", "reconciliations", ["resource", "compared_at"])
