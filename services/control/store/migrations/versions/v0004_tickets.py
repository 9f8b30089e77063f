"""Tickets about problem data: events, what they come to, notices owed, changes of the disputes."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0004"
down_revision: str | None = "0003"

_INSTANT = sa.DateTime(timezone=True)
_STATES: Final = [
    "reported",
    "returned",
    "verifying",
    "refused",
    "escalated",
    "dismissed",
    "correcting",
    "corrected",
    "confirmed",
    "closed",
    "withdrawn",
]
_ACTIONS: Final = [
    "forward",
    "dispatch",
    "return",
    "supplement",
    "accept",
    "refuse",
    "arrive",
    "revert",
    "list",
    "tell",
    "confirm",
    "reopen",
    "close",
    "escalate",
    "uphold",
    "dismiss",
    "withdraw",
]
_NOTICES: Final = ["disputed", "corrected", "unfounded"]
_IMMUTABLE: Final = ("ticket_events", "dispute_changes")
_OWED: Final = "told_at IS NULL AND dropped_at IS NULL"


def upgrade() -> None:
    """Make the tables, and what keeps history from being changed."""
    _tickets()
    _events()
    _notices()
    _disputes()
    _commands()
    _immutable()


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("opening", JSONB, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("reporter", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("due_for", sa.Text),
        sa.Column("due_provisional", sa.Boolean),
        _one_of("state", _STATES),
        _one_of("due_for", ("dispatch", "verify", "correct")),
    )
    op.create_index("ix_tickets_state_number", "tickets", ["state", "number"])
    op.create_index("ix_tickets_reporter_number", "tickets", ["reporter", "number"])
    op.create_index("ix_tickets_provider_number", "tickets", ["provider", "number"])
    op.create_index("ix_tickets_record", "tickets", ["resource", "record"])
    _partial("ix_tickets_due_on_number", "tickets", ["due_on", "number"], "due_on IS NOT NULL")


def _events() -> None:
    op.create_table(
        "ticket_events",
        sa.Column("ticket_id", sa.Uuid(), sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("recorder", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        _one_of("action", _ACTIONS),
    )


def _notices() -> None:
    op.create_table(
        "ticket_notices",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("ticket_id", sa.Uuid(), sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owed_at", _INSTANT, nullable=False),
        sa.Column("told_at", _INSTANT),
        sa.Column("dropped_at", _INSTANT),
        _one_of("kind", _NOTICES),
    )
    columns = ["ticket_id", "consumer", "grant_id"]
    _partial("uq_ticket_notices_owed", "ticket_notices", columns, _OWED, unique=True)
    _partial("ix_ticket_notices_owed_at", "ticket_notices", ["owed_at"], _OWED)


def _disputes() -> None:
    op.create_table(
        "dispute_changes",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ticket_id", sa.Uuid(), sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("dispute", sa.Text, nullable=False),
        sa.Column("contested", JSONB),
        sa.Column("appended_at", _INSTANT, nullable=False),
        _one_of("act", ("open", "close")),
    )
    op.create_index("ix_dispute_changes_dispute", "dispute_changes", ["dispute", "number"])


def _commands() -> None:
    op.create_table(
        "ticket_commands",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("answer", JSONB),
        sa.Column("recorded_at", _INSTANT, nullable=False),
    )


def _immutable() -> None:
    op.execute(
        "CREATE FUNCTION ticket_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in _IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ticket_history_stays()"
        )


def _one_of(column: str, words: Iterable[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, postgresql_where=sa.text(where))
