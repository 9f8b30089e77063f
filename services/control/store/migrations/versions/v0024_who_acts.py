"""Notices for each step of an entry, and to the authority that decides; who switched an account off."""

import re
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"

_WORD: Final = re.compile(r"'([a-z._]+)'")
_KINDS: Final = (
    "case.deciding_by_authority",
    "case.negotiating_by_authority",
    "entry.submitted",
    "entry.registered",
    "entry.registration_refused",
    "entry.publication_requested",
    "entry.published",
    "entry.publication_refused",
)
CLOCKS: Final = """
    UPDATE case_clocks SET obliged = cases.opening->'rules'->>'decides'
    FROM cases WHERE cases.id = case_clocks.case_id
        AND case_clocks.key = 'clocks.subscription.provider_reply' AND case_clocks.stage <> 'precheck'
"""
DUE: Final = """
    UPDATE cases SET due_from = opening->'rules'->>'decides'
    WHERE due_from IS NOT NULL AND due_for <> 'precheck' AND state IN ('deciding', 'precheck')
"""


def upgrade() -> None:
    """Let the new kinds be kept, and let what is stored of a decision name whoever takes it."""
    name = "ck_notice_events_kind"
    listed = ", ".join(f"'{kind}'" for kind in (*_WORD.findall(_definition(name)), *_KINDS))
    op.execute(f"ALTER TABLE notice_events DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE notice_events ADD CONSTRAINT {name} CHECK (kind IN ({listed}))")
    op.add_column("persons", sa.Column("disabled_by", sa.Text()))
    op.execute(CLOCKS)
    op.execute(DUE)


def _definition(constraint: str) -> str:
    question = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(question, {"name": constraint}).scalar_one())
