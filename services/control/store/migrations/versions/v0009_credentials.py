"""Credentials of departments get a version and a last moment, and a code may fetch a new one."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"

_INSTANT = sa.DateTime(timezone=True)
_BEFORE: Final = "'grant.credential_expires'::text"
_ADDED: Final = "'grant.credential_expired'::text"


def upgrade() -> None:
    """Make the table, give those that are out a date, and let codes rotate."""
    _credentials()
    _those_that_are_out()
    _codes()
    _notices()


def _credentials() -> None:
    op.create_table(
        "department_credentials",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("issued_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended", sa.Text),
        sa.CheckConstraint("ended IN ('rotated', 'expired')", name="ended"),
        sa.CheckConstraint("expires_at > issued_at", name="times"),
        sa.CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="end"),
    )
    op.create_index(
        "ix_department_credentials_open",
        "department_credentials",
        ["consumer"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _those_that_are_out() -> None:
    """From the first step that made one, or the first code for it; at least thirty days, to be told in time.

    Those of declared grants stand in no table: the control process enters them when it sees them first.
    """
    op.execute(
        """
        INSERT INTO department_credentials (consumer, version, issued_at, expires_at)
        SELECT consumer, 1, min(at), greatest(min(at) + interval '180 days', now() + interval '30 days')
        FROM (
            SELECT cases.consumer, case_events.at FROM case_events
            JOIN cases ON cases.id = case_events.case_id
            WHERE case_events.action = 'step_done' AND case_events.document ->> 'step' = 'credential'
            UNION ALL
            SELECT consumer, issued_at FROM credential_pickups
        ) AS known
        GROUP BY consumer
        """
    )


def _codes() -> None:
    op.alter_column("credential_pickups", "case_id", nullable=True)
    op.add_column(
        "credential_pickups", sa.Column("rotates", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.alter_column("credential_pickups", "rotates", server_default=None)
    op.execute(
        "ALTER TABLE credential_pickups ADD CONSTRAINT ck_credential_pickups_case "
        "CHECK (rotates OR case_id IS NOT NULL)"
    )


def _notices() -> None:
    """Add a kind to those that are there, whichever they are."""
    asked = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    known = op.get_bind().execute(asked, {"name": "ck_notice_events_kind"}).scalar_one()
    wanted = str(known).replace(_BEFORE, f"{_BEFORE}, {_ADDED}")
    op.execute("ALTER TABLE notice_events DROP CONSTRAINT ck_notice_events_kind")
    op.execute(f"ALTER TABLE notice_events ADD CONSTRAINT ck_notice_events_kind {wanted}")
