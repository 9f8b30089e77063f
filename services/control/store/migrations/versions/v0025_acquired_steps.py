"""Every step by which a department's group acquired records, not only the newest."""

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
_INSTANT = sa.DateTime(timezone=True)

_OF_ACTS = """
    INSERT INTO trace_acquired_steps (acquired_id, committed, seen_at)
    SELECT known.id, said.value::bigint, min(outbox.acted_at)
    FROM outbox
    CROSS JOIN LATERAL jsonb_each_text(outbox.facts) AS said
    JOIN trace_acquired AS known
      ON said.key = known.grant_id || '/' || known.partition || '/' || known.consumer_group
    WHERE outbox.what = 'grants.acquired' AND outbox.channel = 'ledger'
    GROUP BY known.id, said.value::bigint
"""
"""What the ledger was told from the beginning on."""
_NEWEST = """
    INSERT INTO trace_acquired_steps (acquired_id, committed, seen_at)
    SELECT id, committed, seen_at FROM trace_acquired
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Make the table, and fill it with what the acts say."""
    number = sa.Column("id", sa.Integer, sa.Identity(always=True), nullable=False)
    op.add_column("trace_acquired", number)
    op.create_unique_constraint(op.f("uq_trace_acquired_id"), "trace_acquired", ["id"])
    op.create_table(
        "trace_acquired_steps",
        sa.Column(
            "acquired_id",
            sa.Integer,
            sa.ForeignKey("trace_acquired.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("committed", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
    )
    op.create_index(
        "ix_trace_acquired_steps_seen_at", "trace_acquired_steps", ["seen_at"], postgresql_using="brin"
    )
    op.execute(_OF_ACTS)
    op.execute(_NEWEST)
