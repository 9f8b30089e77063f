"""More time for a duty; more notices; when a provider last vouched for a person; files of tickets."""

import re
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"

_WORD: Final = re.compile(r"'([a-z._]+)'")
_MORE: Final = (
    ("case_events", "action", ("extend",)),
    ("notice_events", "kind", ("case.extended", "grant.loses_item", "account.password_reset")),
)


def upgrade() -> None:
    """Let the new words be kept beside those that there are."""
    for table, column, words in _MORE:
        name = f"ck_{table}_{column}"
        listed = ", ".join(f"'{word}'" for word in (*_WORD.findall(_definition(name)), *words))
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({listed}))")
    for name in ("case_commands", "ticket_commands"):
        op.create_index(f"ix_{name}_recorded_at", name, ["recorded_at"])
    op.create_table(
        "ticket_files",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "sha256", name="pk_ticket_files"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_files_ticket_id"),
    )
    op.add_column("identities", sa.Column("seen_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE identities SET seen_at = linked_at")
    op.alter_column("identities", "seen_at", nullable=False)


def _definition(constraint: str) -> str:
    question = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(question, {"name": constraint}).scalar_one())
