"""The outbox, the catalogue, calendars and policy packs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0001"
down_revision: str | None = None

_INSTANT = sa.DateTime(timezone=True)
_STATES = (
    "'draft', 'registration_review', 'registered', 'publication_review', 'published', 'changed', 'withdrawn'"
)


def upgrade() -> None:
    """Make the tables."""
    _outbox()
    _entries()
    _versions()
    _steps()
    _calendars()
    _packs()


def _one_of(column: str, words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({words})", name=column)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("acted_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("document", JSONB),
        sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("sent_at", _INSTANT),
        _one_of("channel", "'ledger', 'policy'"),
    )
    unsent = sa.text("sent_at IS NULL")
    op.create_index("ix_outbox_unsent", "outbox", ["channel", "id"], postgresql_where=unsent)
    op.create_index("ix_outbox_object", "outbox", ["kind", "object", "id"])


def _entries() -> None:
    op.create_table(
        "catalogue_entries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, unique=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("published", sa.Integer),
        sa.Column("shown", sa.Integer, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_code", sa.Text, nullable=False),
        sa.Column("resource_class", sa.Text),
        sa.Column("library", sa.Text),
        sa.Column("share_type", sa.Text, nullable=False),
        sa.Column("open_type", sa.Text),
        sa.Column("update_cycle", sa.Text),
        sa.Column("format_class", sa.Text),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("sort_key", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name_initials", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
        _one_of("state", _STATES),
        *_entry_words(),
    )
    op.create_index("ix_catalogue_entries_order", "catalogue_entries", ["sort_key", "id"])
    op.create_index("ix_catalogue_entries_name", "catalogue_entries", ["provider_code", "name_key"])


def _entry_words() -> list[sa.CheckConstraint]:
    libraries = (
        "'population', 'legal_persons', 'natural_resources', 'licences', 'social_credit', 'macro_economy', "
        "'public_services', 'health', 'social_security', 'food_and_drugs', 'safety_at_work', 'prices', "
        "'energy', 'credit_system', 'construction', 'community', 'environment', 'emergency', 'poverty', "
        "'government_services'"
    )
    cycles = (
        "'real_time', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'half_yearly', 'yearly', "
        "'irregular', 'other'"
    )
    formats = "'file', 'spreadsheet', 'database', 'image', 'stream', 'self_describing', 'interface'"
    return [
        _one_of("resource_class", "'basic', 'theme', 'department'"),
        _one_of("library", libraries),
        _one_of("share_type", "'unconditional', 'conditional', 'not_shared'"),
        _one_of("open_type", "'unconditional', 'conditional', 'not_open'"),
        _one_of("update_cycle", cycles),
        _one_of("format_class", formats),
    ]


def _versions() -> None:
    op.create_table(
        "catalogue_versions",
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("catalogue_entries.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        _one_of("state", _STATES),
    )
    types = (
        "'text', 'number', 'currency', 'date', 'timestamp', 'boolean', 'memo', 'general', 'double', "
        "'integer', 'float'"
    )
    version = ["catalogue_versions.entry_id", "catalogue_versions.number"]
    op.create_table(
        "catalogue_items",
        sa.Column("entry_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("item_type", sa.Text),
        sa.Column("length", sa.Integer),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("is_key", sa.Boolean, nullable=False),
        sa.Column("sensitivity", sa.Text),
        sa.Column("grade", sa.Text),
        sa.Column("owner", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["entry_id", "number"], version),
        _one_of("item_type", types),
        _one_of("sensitivity", "'none', 'personal', 'sensitive_personal', 'business_secret'"),
        _one_of("grade", "'general', 'important', 'core'"),
    )


def _steps() -> None:
    actions = (
        "'open', 'edit', 'submit', 'register', 'refuse_registration', 'request_publication', 'publish', "
        "'refuse_publication', 'revise', 'withdraw', 'supersede'"
    )
    roles = "'provider', 'authority', 'consumer', 'operator', 'auditor', 'overseer'"
    op.create_table(
        "catalogue_steps",
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("catalogue_entries.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("acted_at", _INSTANT, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        _one_of("action", actions),
        _one_of("before", _STATES),
        _one_of("after", _STATES),
        _one_of("role", roles),
    )


def _calendars() -> None:
    op.create_table(
        "calendar_years",
        sa.Column("calendar", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("imported_at", _INSTANT, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
    )
    op.create_table(
        "calendar_days",
        sa.Column("calendar", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["calendar", "year"], ["calendar_years.calendar", "calendar_years.year"]),
        _one_of("kind", "'holiday', 'make-up'"),
    )


def _packs() -> None:
    op.create_table(
        "policy_packs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("imported_at", _INSTANT, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        _one_of("level", "'national', 'province', 'city', 'county', 'department'"),
    )
