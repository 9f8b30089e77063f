"""Rulings on who owns an item, which the control process carries out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision: str = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    """Make the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "ownership_rulings",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("claimant", sa.Text, nullable=False),
        sa.Column("source_column", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("recorder", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("given_at", instant, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("next_at", instant),
        sa.Column("version", sa.BigInteger),
        sa.Column("in_force_at", instant),
        sa.Column("instances", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("resources", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("losing", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.CheckConstraint("decision IN ('confirm', 'transfer')", name="decision"),
        sa.CheckConstraint("stage IN ('decided', 'written', 'in_force', 'overtaken')", name="stage"),
        sa.CheckConstraint("stage NOT IN ('written', 'in_force') OR version IS NOT NULL", name="version"),
        sa.CheckConstraint("(stage = 'in_force') = (in_force_at IS NOT NULL)", name="in_force"),
    )
    about = ["claimant", "source_column", "number"]
    op.create_index("ix_ownership_rulings_claimant_source_column", "ownership_rulings", about)
    still = sa.text("stage IN ('decided', 'written')")
    op.create_index("ix_ownership_rulings_open", "ownership_rulings", ["number"], postgresql_where=still)
