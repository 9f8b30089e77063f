"""Why a provisioning step failed as a code; what a request for a grant left behind: receipt and counts."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"

_FAULTS: Final = (
    "GRANTS_IN_FILES",
    "CONSUMER_NOT_ON_BUS",
    "RESOURCE_NOT_ON_BUS",
    "HELD",
    "SUSPENSION_UNCUT",
    "OVERTAKEN",
    "BEYOND_DECISION",
    "GRANT_OF_OTHERS",
    "SHRINKS",
    "EPOCH_INTERRUPTED",
    "OTHER_WRITER",
    "INSTANCE_UNNAMED",
    "TRANSACTION_OPEN",
    "NO_POLICY",
    "LEDGER_NOT_READY",
    "REGISTRY_REFUSED",
    "REGISTRY_SILENT",
    "BUS_SILENT",
    "FOLDER_UNUSABLE",
    "CASE_UNREADABLE",
    "DATABASE_BUSY",
    "INTERNAL",
)


def upgrade() -> None:
    """Add the columns; receipts stood in notes alone before."""
    op.add_column("case_steps", sa.Column("fault", sa.Text))
    listed = ", ".join(f"'{word}'" for word in _FAULTS)
    op.create_check_constraint("fault", "case_steps", f"fault IN ({listed})")
    receipt = sa.Column("receipt", sa.Text, nullable=False, server_default=sa.text("''"))
    for column in (receipt, sa.Column("records", sa.BigInteger), sa.Column("withdrawn", sa.BigInteger)):
        op.add_column("grant_works", column)
    op.execute(
        "UPDATE grant_works SET receipt = substr(note, 9) "
        "WHERE wanted IN ('suspend', 'end') AND note LIKE 'receipt %'"
    )
