"""Retirements of versions, and what is told when one is postponed or given up."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

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
)


def upgrade() -> None:
    """Make the table, and let the new kinds of notices be kept."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "retirements",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("old_id", sa.Text, nullable=False),
        sa.Column("new_id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("announced_at", instant, nullable=False),
        sa.Column("parallel_from", sa.Date, nullable=False),
        sa.Column("retires_on", sa.Date, nullable=False),
        sa.Column("working_days", sa.SmallInteger, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('planned', 'cancelled', 'retired')", name="state"),
        sa.CheckConstraint("retires_on > parallel_from", name="days"),
    )
    stands = sa.text("state <> 'cancelled'")
    op.create_index("ix_retirements_old_id", "retirements", ["old_id"], unique=True, postgresql_where=stands)
    listed = ", ".join(f"'{kind}'" for kind in _KINDS)
    op.execute("ALTER TABLE notice_events DROP CONSTRAINT ck_notice_events_kind")
    op.execute(f"ALTER TABLE notice_events ADD CONSTRAINT ck_notice_events_kind CHECK (kind IN ({listed}))")
