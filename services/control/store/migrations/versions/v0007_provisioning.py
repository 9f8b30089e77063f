"""What is to be done on the bus for cases, credentials that are fetched once, and the import of grants."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0007"
down_revision: str | None = "0006"

_INSTANT = sa.DateTime(timezone=True)
_ACTIONS: Final = (
    "edit",
    "submit",
    "request_precheck",
    "accept",
    "request_decision",
    "accept_unconditional",
    "return",
    "supplement",
    "approve",
    "approve_in_part",
    "refuse",
    "appeal",
    "negotiate",
    "agree",
    "escalate",
    "uphold",
    "dismiss",
    "withdraw",
    "provision",
    "step_done",
    "step_failed",
    "retry_step",
    "activate",
    "roll_back",
    "suspend",
    "resume",
    "terminate",
    "expire",
    "complain",
    "reply",
    "import",
)


def upgrade() -> None:
    """Make the tables, and let a case begin with an imported grant."""
    _works()
    _pickups()
    listed = ", ".join(f"'{word}'" for word in _ACTIONS)
    op.execute("ALTER TABLE case_events DROP CONSTRAINT ck_case_events_action")
    op.execute(f"ALTER TABLE case_events ADD CONSTRAINT ck_case_events_action CHECK (action IN ({listed}))")


def _works() -> None:
    op.create_table(
        "grant_works",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("wanted", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("event", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.Column("next_at", _INSTANT),
        sa.Column("ended_at", _INSTANT),
        sa.CheckConstraint("wanted IN ('provide', 'open', 'suspend', 'end')", name="wanted"),
        sa.CheckConstraint("outcome IN ('owed', 'done', 'failed', 'dropped')", name="outcome"),
    )
    owed = sa.text("outcome = 'owed'")
    op.create_index("ix_grant_works_owed", "grant_works", ["wanted", "entry"], postgresql_where=owed)
    op.create_index("ix_grant_works_case_id_event", "grant_works", ["case_id", "event"])


def _pickups() -> None:
    op.create_table(
        "credential_pickups",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("issued_at", _INSTANT, nullable=False),
        sa.Column("issued_by", sa.Text, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("collected_at", _INSTANT),
        sa.Column("collected_by", sa.Text),
    )
    op.create_index("ix_credential_pickups_consumer", "credential_pickups", ["consumer", "issued_at"])
