"""Requests that were answered, by the key that whoever asked chose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0008"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "answered_requests",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", JSONB),
        sa.Column("body", JSONB),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_answered_requests_recorded_at", "answered_requests", ["recorded_at"])
