"""The index of the person trace, and what departments' groups were seen to have acquired."""

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "trace_state",
        sa.Column("one", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("policy_next", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("complete_until", _INSTANT),
        sa.Column("incomplete_before", _INSTANT),
        sa.Column("untraceable", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("one = 1", name="one"),
    )
    op.create_table(
        "trace_topics",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "trace_places",
        sa.Column(
            "topic_id", sa.Integer, sa.ForeignKey("trace_topics.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    _facts()
    op.create_table(
        "trace_terms",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("from_version", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("grant_id", "consumer", "provider", "resource", "purpose", "legal_basis")
        ),
    )
    op.create_table(
        "trace_acquired",
        sa.Column("grant_id", sa.Text, primary_key=True),
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("committed", sa.BigInteger, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
    )


def _facts() -> None:
    op.create_table(
        "trace_subjects",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.Uuid(), nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("topic_id", sa.Integer, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("withdrawn", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "trace_deliveries",
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("policy_version", sa.BigInteger, nullable=False),
        sa.Column("topic_id", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("written", sa.SmallInteger, nullable=False),
    )
    for name in ("subject", "entity", "change"):
        op.create_index(f"ix_trace_subjects_{name}", "trace_subjects", [name])
    op.create_index("ix_trace_deliveries_change", "trace_deliveries", ["change"])
    for table in ("trace_subjects", "trace_deliveries"):
        op.create_index(f"ix_{table}_at_ms", table, ["at_ms"], postgresql_using="brin")
