"""The outbox, the catalogue, calendars and policy packs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0001"
down_revision: str | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _outbox()


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("acted_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("document", JSONB),
        sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("sent_at", _INSTANT),
        sa.CheckConstraint("channel IN ('ledger', 'policy')", name="channel"),
    )
    op.create_index(
        "ix_outbox_unsent", "outbox", ["channel", "id"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_index("ix_outbox_object", "outbox", ["kind", "object", "id"])
