"""Notices: what happened, inboxes, addresses, deliveries, and announced maintenance."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision: str = "0005"
down_revision: str | None = "0004"

_INSTANT = sa.DateTime(timezone=True)
_KINDS = (
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
    "grant.reader_behind",
    "grant.reader_lost",
    "resource.stale",
    "resource.version_announced",
    "resource.version_retires",
    "resource.version_retired",
    "clock.reminder",
    "clock.last_day",
    "clock.overdue",
    "maintenance.announced",
    "maintenance.cancelled",
)
_AUDIENCES = ("consumer", "provider", "authority", "operator")
_CHANNELS = ("inbox", "email", "digest", "webhook")
_FAILURES = (
    "NO_ADDRESS",
    "ADDRESS_MALFORMED",
    "ADDRESS_FORBIDDEN",
    "NAME_UNKNOWN",
    "UNREACHABLE",
    "TLS_REFUSED",
    "LOGIN_REFUSED",
    "RECIPIENT_REFUSED",
    "SERVER_REFUSED",
    "REDIRECTED",
    "ANSWER_NOT_2XX",
    "BROKEN",
)


def upgrade() -> None:
    """Make the tables."""
    _events()
    _inbox()
    _addresses()
    _deliveries()
    _works()


def _events() -> None:
    op.create_table(
        "notice_events",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("happened_at", _INSTANT, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        _one_of("kind", _KINDS),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_notice_events_happened_at", "notice_events", ["happened_at"])


def _inbox() -> None:
    op.create_table(
        "notice_inbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _of_event(),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        _one_of("audience", _AUDIENCES),
        sa.UniqueConstraint("event_id", "department"),
    )
    op.create_index("ix_notice_inbox_department_id", "notice_inbox", ["department", "id"])
    op.create_table(
        "notice_reads",
        sa.Column(
            "inbox_id",
            sa.BigInteger,
            sa.ForeignKey("notice_inbox.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("read_at", _INSTANT, nullable=False),
    )


def _addresses() -> None:
    op.create_table(
        "notice_addresses",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("secret_version", sa.Integer, nullable=False),
        sa.Column("previous_until", _INSTANT),
        sa.Column("added_at", _INSTANT, nullable=False),
        _one_of("way", ("email", "webhook")),
        _one_of("language", ("zh-CN", "en")),
        sa.CheckConstraint("secret_version >= 1", name="secret_version"),
        sa.UniqueConstraint("department", "way", "target"),
    )


def _deliveries() -> None:
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _of_event(),
        sa.Column(
            "address_id",
            sa.BigInteger,
            sa.ForeignKey("notice_addresses.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("ended_at", _INSTANT),
        _one_of("audience", _AUDIENCES),
        _one_of("channel", _CHANNELS),
        _one_of("progress", ("waiting", "delivered", "dead")),
        _one_of("failure", _FAILURES),
        sa.CheckConstraint("(progress = 'waiting') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("progress <> 'dead' OR failure IS NOT NULL", name="dead_has_a_reason"),
        sa.UniqueConstraint("event_id", "address_id"),
    )
    op.create_index(
        "ix_notice_deliveries_waiting",
        "notice_deliveries",
        ["due_at"],
        postgresql_where=sa.text("progress = 'waiting'"),
    )
    op.create_index("ix_notice_deliveries_address_id", "notice_deliveries", ["address_id"])


def _works() -> None:
    op.create_table(
        "maintenance_works",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("begin_at", _INSTANT, nullable=False),
        sa.Column("end_at", _INSTANT, nullable=False),
        sa.Column("departments", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("announced_at", _INSTANT, nullable=False),
        sa.Column("notice_days", sa.Integer, nullable=False),
        sa.Column("waits_for", sa.Integer),
        sa.Column("cancelled_at", _INSTANT),
        _one_of("state", ("announced", "cancelled")),
        sa.CheckConstraint("end_at > begin_at", name="times"),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
    )


def _of_event() -> sa.Column[object]:
    return sa.Column(
        "event_id",
        UUID(as_uuid=True),
        sa.ForeignKey("notice_events.id", ondelete="CASCADE"),
        nullable=False,
    )


def _one_of(column: str, words: Iterable[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)
