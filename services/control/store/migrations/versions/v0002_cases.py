"""Sharing cases: events, what they come to, clocks, steps, the policies that cases are bound to."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision: str = "0002"
down_revision: str | None = "0001"

_INSTANT = sa.DateTime(timezone=True)
_STATES: Final = (
    "draft",
    "submitted",
    "precheck",
    "deciding",
    "returned",
    "approved",
    "refused",
    "negotiating",
    "escalated",
    "refused_finally",
    "provisioning",
    "active",
    "suspended",
    "terminated",
    "expired",
    "withdrawn",
)
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
)
_ROLES: Final = ["consumer", "provider", "authority", "operator", "auditor", "overseer", "system"]
_STEPS: Final = ["topic", "credential", "rights", "policy", "acknowledged", "back_fill", "announced"]
_IMMUTABLE: Final = ("case_policies", "case_policy_adoptions", "case_events")


def upgrade() -> None:
    """Make the tables, and what keeps history from being changed."""
    _policies()
    _cases()
    _events()
    _steps()
    _clocks()
    _commands()
    _immutable()


def _policies() -> None:
    op.create_table(
        "case_policies",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "case_policy_adoptions",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("digest", sa.Text, sa.ForeignKey("case_policies.digest"), nullable=False),
        sa.Column("adopted_at", _INSTANT, nullable=False),
        sa.Column("adopted_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("grant_id", sa.Text, nullable=False, unique=True),
        sa.Column("policy", sa.Text, sa.ForeignKey("case_policies.digest"), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("opening", JSONB, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("entry_code", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("suspended_by", sa.Text),
        sa.Column("open_complaints", sa.Integer, nullable=False),
        sa.Column("application", JSONB, nullable=False),
        sa.Column("approval", JSONB),
        sa.Column("refusal", JSONB),
        sa.Column("undone", ARRAY(sa.Text), nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.Column("ends_on", sa.Date),
        sa.Column("due_on", sa.Date),
        sa.Column("due_for", sa.Text),
        sa.Column("due_from", sa.Text),
        sa.Column("due_provisional", sa.Boolean),
        _one_of("state", _STATES),
        _one_of("suspended_by", _ROLES),
    )
    op.create_index("ix_cases_state_number", "cases", ["state", "number"])
    op.create_index("ix_cases_consumer_number", "cases", ["consumer", "number"])
    op.create_index("ix_cases_provider_number", "cases", ["provider", "number"])
    op.create_index("ix_cases_resource", "cases", ["resource"])
    _partial("ix_cases_due_on_number", "cases", ["due_on", "number"], "due_on IS NOT NULL")
    _partial("ix_cases_provider_due_on", "cases", ["provider", "due_on", "number"], "due_on IS NOT NULL")
    _partial("ix_cases_ends_on", "cases", ["ends_on"], "ends_on IS NOT NULL")


def _events() -> None:
    op.create_table(
        "case_events",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("recorder", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        _one_of("action", _ACTIONS),
    )


def _steps() -> None:
    op.create_table(
        "case_steps",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _one_of("step", _STEPS),
        _one_of("progress", ("pending", "done", "failed")),
    )
    _partial("ix_case_steps_failed", "case_steps", ["case_id"], "progress = 'failed'")


def _clocks() -> None:
    op.create_table(
        "case_clocks",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("obliged", sa.Text, nullable=False),
        sa.Column("begun_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("due_on", sa.Date),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("waits_for", sa.SmallInteger),
        sa.Column("advisory", sa.Boolean, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("remind_at", ARRAY(sa.SmallInteger), nullable=False),
        sa.Column("remind_on", ARRAY(sa.Date), nullable=False),
        sa.Column("reminded", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("next_reminder_on", sa.Date),
        sa.Column("breach_told_at", _INSTANT),
    )
    waiting = "ended_at IS NULL AND next_reminder_on IS NOT NULL"
    _partial("ix_case_clocks_next_reminder_on", "case_clocks", ["next_reminder_on"], waiting)
    untold = "breach_told_at IS NULL AND (ended_at IS NULL OR late)"
    _partial("ix_case_clocks_untold", "case_clocks", ["due_on"], untold)
    _partial("ix_case_clocks_waits_for", "case_clocks", ["waits_for"], "waits_for IS NOT NULL")


def _commands() -> None:
    op.create_table(
        "case_commands",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("answer", JSONB),
        sa.Column("recorded_at", _INSTANT, nullable=False),
    )


def _immutable() -> None:
    op.execute(
        "CREATE FUNCTION case_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in _IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION case_history_stays()"
        )


def _one_of(column: str, words: Iterable[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where))
