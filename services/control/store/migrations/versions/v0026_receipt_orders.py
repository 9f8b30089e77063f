"""Orders for receipts: departments ask, the control process makes them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0026"
down_revision: str | None = "0025"
_INSTANT = sa.DateTime(timezone=True)
_STATES = ("asked", "made", "refused")
_OBSTACLES = (
    "NOT_SEALED",
    "INDEX_BEHIND",
    "NOT_THERE",
    "NOTHING_TO_PROVE",
    "BUS_SILENT",
    "OTHER_LOG",
    "LEDGER_DIFFERS",
    "FAILED",
)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "receipt_orders",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("grant_id", sa.Text),
        sa.Column("topic", sa.Text),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("shown", ARRAY(sa.Text), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("consumer", sa.Text),
        sa.Column("witness", sa.LargeBinary),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("obstacle", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.CheckConstraint(_one_of("state", _STATES), name=op.f("ck_receipt_orders_state")),
        sa.CheckConstraint(_one_of("obstacle", _OBSTACLES), name=op.f("ck_receipt_orders_obstacle")),
        sa.CheckConstraint(
            "(grant_id IS NULL) <> (topic IS NULL)", name=op.f("ck_receipt_orders_of_one_thing")
        ),
        sa.CheckConstraint(
            "(state = 'made') = (content IS NOT NULL)", name=op.f("ck_receipt_orders_content_where_made")
        ),
        sa.CheckConstraint(
            "(state = 'asked') = (ended_at IS NULL)", name=op.f("ck_receipt_orders_ended_unless_asked")
        ),
    )
    op.create_index("ix_receipt_orders_state_due_at", "receipt_orders", ["state", "due_at"])
    op.create_index("ix_receipt_orders_department_number", "receipt_orders", ["department", "number"])
    op.create_index("ix_receipt_orders_ended_at", "receipt_orders", ["ended_at"])


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(each) for each in words)})"
