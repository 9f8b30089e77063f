"""Reports as they were made; for how long evidence is kept."""

import re
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0021"
down_revision: str | None = "0020"

_WORD: Final = re.compile(r"'([a-z._]+)'")
_INSTANT: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Let the new kind of snapshot be kept, and make the table of reports, whose rows never change."""
    for table in ("snapshots", "snapshot_rounds"):
        name = f"ck_{table}_kind"
        known = _WORD.findall(_definition(name))
        listed = ", ".join(f"'{kind}'" for kind in (*known, "census", "retention"))
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (kind IN ({listed}))")
    op.create_table(
        "made_reports",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("year", sa.SmallInteger, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("as_of", _INSTANT, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.CheckConstraint(
            "kind IN ('department', 'authority', 'census', 'duties', 'overdue', 'evaluation')", name="kind"
        ),
    )
    op.create_index("ix_made_reports_kind", "made_reports", ["kind", "year", "department"])
    op.execute(
        "CREATE FUNCTION made_report_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a report that was made is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER made_reports_stay BEFORE UPDATE OR DELETE ON made_reports "
        "FOR EACH ROW EXECUTE FUNCTION made_report_stays()"
    )


def _definition(constraint: str) -> str:
    question = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(question, {"name": constraint}).scalar_one())
