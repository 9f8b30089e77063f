"""Notices of needs; yearly reports that departments have handed in; objections to the open directory."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
_INSTANT = sa.DateTime(timezone=True)

_KINDS: Final = (
    "case.submitted",
    "case.precheck",
    "case.deciding",
    "case.returned",
    "case.approved",
    "case.refused",
    "case.negotiating",
    "case.escalated",
    "case.refused_finally",
    "case.provisioning",
    "case.step_failed",
    "case.active",
    "case.suspended",
    "case.terminated",
    "case.expired",
    "case.withdrawn",
    "case.complaint",
    "case.replied",
    "ticket.reported",
    "ticket.returned",
    "ticket.verifying",
    "ticket.refused",
    "ticket.escalated",
    "ticket.dismissed",
    "ticket.correcting",
    "ticket.corrected",
    "ticket.confirmed",
    "ticket.closed",
    "ticket.withdrawn",
    "ticket.wrong_version",
    "grant.suspended",
    "grant.resumed",
    "grant.ended",
    "grant.expires",
    "grant.credential_issued",
    "grant.credential_expires",
    "grant.credential_expired",
    "grant.reader_behind",
    "grant.reader_lost",
    "resource.stale",
    "resource.version_announced",
    "resource.version_postponed",
    "resource.version_kept",
    "resource.version_retires",
    "resource.version_retired",
    "clock.reminder",
    "clock.last_day",
    "clock.overdue",
    "maintenance.announced",
    "maintenance.cancelled",
    "need.stated",
    "need.assigned",
    "need.handed_back",
    "need.drafted",
    "need.known",
    "need.declined",
    "need.withdrawn",
    "objection.received",
    "objection.extended",
    "objection.accepted",
    "objection.denied",
    "objection.withdrawn",
)


def upgrade() -> None:
    """Let the new kinds of notices be kept, and make the tables."""
    listed = ", ".join(f"'{kind}'" for kind in _KINDS)
    op.execute("ALTER TABLE notice_events DROP CONSTRAINT ck_notice_events_kind")
    op.execute(f"ALTER TABLE notice_events ADD CONSTRAINT ck_notice_events_kind CHECK (kind IN ({listed}))")
    op.create_table(
        "annual_reports",
        sa.Column("duty", sa.Text, primary_key=True),
        sa.Column("department", sa.Text, primary_key=True),
        sa.Column("year", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("filed_at", _INSTANT, nullable=False),
        sa.Column("filed_by", sa.Text, nullable=False),
        sa.CheckConstraint("duty IN ('department', 'authority')", name="duty"),
    )
    _objections()
    _events()


def _objections() -> None:
    op.create_table(
        "objections",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("catalogue_entries.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('received', 'accepted', 'denied', 'withdrawn')", name="state"),
    )
    op.create_index("ix_objections_state_number", "objections", ["state", "number"])
    op.create_index("ix_objections_provider_number", "objections", ["provider", "number"])


def _events() -> None:
    """What happened to them, which is never changed."""
    op.create_table(
        "objection_events",
        sa.Column("objection_id", sa.Uuid, sa.ForeignKey("objections.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("days", sa.SmallInteger),
        sa.Column("approver", sa.Text, nullable=False),
        sa.CheckConstraint("action IN ('extend', 'accept', 'deny', 'withdraw')", name="action"),
    )
    op.execute(
        "CREATE FUNCTION objection_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'what happened to an objection is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON objection_events "
        "FOR EACH ROW EXECUTE FUNCTION objection_history_stays()"
    )
