"""Needs for data that departments state; the day from which an entry had to be revised."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0012"
down_revision: str | None = "0011"
_INSTANT = sa.DateTime(timezone=True)
_STATES = "'stated', 'assigned', 'drafted', 'known', 'declined', 'withdrawn'"
_ACTIONS = "'assign', 'decline', 'point', 'hand_back', 'draft', 'withdraw'"
_REASONS = "'NOBODY_HOLDS_IT', 'DUTY_NOT_SHOWN', 'LAW_FORBIDS', 'NOT_GOVERNMENT_DATA', 'MORE_THAN_NEEDED'"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("catalogue_steps", sa.Column("changed_on", sa.Date))
    _needs()
    _events()


def _needs() -> None:
    op.create_table(
        "needs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("stated_at", _INSTANT, nullable=False),
        sa.Column("stated_subject", sa.Text, nullable=False),
        sa.Column("items", ARRAY(sa.Text), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("basis_document", sa.Text, nullable=False),
        sa.Column("basis_article", sa.Text, nullable=False),
        sa.Column("stated_code", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("subject_key", sa.Text, nullable=False),
        sa.Column("assigned_to", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("catalogue_entries.id")),
        sa.Column("reason", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name="state"),
        sa.CheckConstraint(f"reason IN ({_REASONS})", name="reason"),
    )
    op.create_index("ix_needs_state_number", "needs", ["state", "number"])
    op.create_index("ix_needs_assigned_to_subject_key", "needs", ["assigned_to", "subject_key"])


def _events() -> None:
    """What happened to them, which is never changed."""
    op.create_table(
        "need_events",
        sa.Column("need_id", sa.Uuid, sa.ForeignKey("needs.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("assigned_to", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("catalogue_entries.id")),
        sa.CheckConstraint(f"action IN ({_ACTIONS})", name="action"),
        sa.CheckConstraint(f"reason IN ({_REASONS})", name="reason"),
    )
    op.execute(
        "CREATE FUNCTION need_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'what happened to a need is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON need_events "
        "FOR EACH ROW EXECUTE FUNCTION need_history_stays()"
    )
