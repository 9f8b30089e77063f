"""Snapshots: what was seen of the running bus, and when."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0006"
down_revision: str | None = "0005"

_INSTANT = sa.DateTime(timezone=True)
_KINDS = ("resource", "grant", "topic", "connector", "quarantine", "alarm", "mounting", "ledger")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "snapshots",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("as_of", _INSTANT, nullable=False),
        _one_of("kind", _KINDS),
    )
    op.create_table(
        "snapshot_rounds",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("as_of", _INSTANT),
        sa.Column("trouble", sa.Text),
        sa.Column("trouble_since", _INSTANT),
        _one_of("kind", _KINDS),
        sa.CheckConstraint("(trouble IS NULL) = (trouble_since IS NULL)", name="trouble"),
    )


def _one_of(column: str, words: Iterable[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)
