"""Replays: what was asked for, who approved it, and what it came to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0019"
down_revision: str | None = "0018"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "replays",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("options", JSONB, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.Column("progress", JSONB),
        sa.Column("parts", JSONB, nullable=False),
        sa.Column("result", JSONB),
        sa.CheckConstraint("purpose IN ('audit', 'what-if', 'redeliver')", name="purpose"),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'running', 'done', 'failed', 'cancelled')", name="state"
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", name="approved_by_another"),
    )
    op.create_index("ix_replays_state_number", "replays", ["state", "number"])
