"""What drift was found; notices of entries that change or are withdrawn."""

import re
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0014"

_WORD: Final = re.compile(r"'([a-z._]+)'")
_MORE: Final = (
    ("notice_events", ("entry.changed", "entry.withdrawn")),
    ("snapshots", ("drift",)),
    ("snapshot_rounds", ("drift",)),
)


def upgrade() -> None:
    """Let the new kinds be kept beside those that there are."""
    for table, kinds in _MORE:
        name = f"ck_{table}_kind"
        known = _WORD.findall(_definition(name))
        listed = ", ".join(f"'{kind}'" for kind in (*known, *kinds))
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (kind IN ({listed}))")


def _definition(constraint: str) -> str:
    question = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(question, {"name": constraint}).scalar_one())
