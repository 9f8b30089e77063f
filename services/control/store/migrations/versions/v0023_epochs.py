"""What was seen of the full volumes of resources."""

import re
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"

_WORD: Final = re.compile(r"'([a-z._]+)'")


def upgrade() -> None:
    """Let the new kind of snapshot be kept beside those that there are."""
    for table in ("snapshots", "snapshot_rounds"):
        name = f"ck_{table}_kind"
        listed = ", ".join(f"'{kind}'" for kind in (*_WORD.findall(_definition(name)), "epoch"))
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (kind IN ({listed}))")


def _definition(constraint: str) -> str:
    question = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(question, {"name": constraint}).scalar_one())
