"""Notices of needs; the yearly reports that departments have handed in."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0012"

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
)


def upgrade() -> None:
    """Let the new kinds of notices be kept, and make the table."""
    listed = ", ".join(f"'{kind}'" for kind in _KINDS)
    op.execute("ALTER TABLE notice_events DROP CONSTRAINT ck_notice_events_kind")
    op.execute(f"ALTER TABLE notice_events ADD CONSTRAINT ck_notice_events_kind CHECK (kind IN ({listed}))")
    op.create_table(
        "annual_reports",
        sa.Column("duty", sa.Text, primary_key=True),
        sa.Column("department", sa.Text, primary_key=True),
        sa.Column("year", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_by", sa.Text, nullable=False),
        sa.CheckConstraint("duty IN ('department', 'authority')", name="duty"),
    )
