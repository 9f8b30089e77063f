"""Accounts: departments, people, roles, sessions, tokens, counters of logins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0003"
down_revision: str | None = "0002"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _departments()
    _persons()
    _roles()
    _identities()
    _sessions()
    _tokens()
    _counters()
    _flows()


def _departments() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("credit_code", sa.Text, nullable=False, unique=True),
        sa.Column("head_name", sa.Text, nullable=False),
        sa.Column("head_phone", sa.Text, nullable=False),
        sa.Column("deputy_name", sa.Text, nullable=False),
        sa.Column("deputy_phone", sa.Text, nullable=False),
        sa.Column("clerk_name", sa.Text, nullable=False),
        sa.Column("clerk_phone", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
    )


def _persons() -> None:
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("department", sa.Text, sa.ForeignKey("departments.id"), nullable=False),
        sa.Column("duty", sa.Text),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("rights", sa.Integer, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("id", "duty"),
        sa.CheckConstraint("duty IN ('exchange', 'management', 'operation', 'audit')", name="duty"),
    )
    op.create_index("ix_persons_department", "persons", ["department"])
    op.create_table(
        "passwords",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("person", sa.Uuid(), sa.ForeignKey("persons.id"), nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_passwords_person", "passwords", ["person", "number"])


def _roles() -> None:
    op.create_table(
        "person_roles",
        sa.Column("person", sa.Uuid(), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("duty", sa.Text, nullable=False),
        sa.Column("given_at", _INSTANT, nullable=False),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["person", "duty"], ["persons.id", "persons.duty"]),
        sa.CheckConstraint(
            "role IN ('authority', 'provider', 'consumer', 'operator', 'auditor', 'overseer')", name="role"
        ),
        sa.CheckConstraint(
            "(role, duty) IN (('authority', 'management'), ('provider', 'exchange'), "
            "('consumer', 'exchange'), ('operator', 'operation'), "
            "('auditor', 'audit'), ('overseer', 'audit'))",
            name="duty_of_role",
        ),
    )
    op.create_table(
        "oversight",
        sa.Column("person", sa.Uuid(), sa.ForeignKey("persons.id"), primary_key=True),
        sa.Column("department", sa.Text, primary_key=True),
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("person", sa.Uuid(), sa.ForeignKey("persons.id"), nullable=False),
        sa.Column("linked_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_identities_person", "identities", ["person"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("person", sa.Uuid(), sa.ForeignKey("persons.id"), nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT, nullable=False),
        sa.Column("rights", sa.Integer, nullable=False),
        sa.Column("ends_at", _INSTANT),
        sa.Column("replaced", sa.Boolean, nullable=False),
        sa.CheckConstraint("method IN ('password', 'oidc')", name="method"),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_used_at", "sessions", ["used_at"])


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("prefix", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("person", sa.Uuid(), sa.ForeignKey("persons.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
    )
    op.create_index("ix_api_tokens_person", "api_tokens", ["person"])


def _counters() -> None:
    op.create_table(
        "login_failures",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", _INSTANT),
    )
    op.create_index("ix_login_failures_last", "login_failures", ["last"])
    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("full_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_rate_buckets_full_at", "rate_buckets", ["full_at"])


def _flows() -> None:
    op.create_table(
        "oidc_flows",
        sa.Column("state", sa.LargeBinary, primary_key=True),
        sa.Column("browser", sa.LargeBinary, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_oidc_flows_began_at", "oidc_flows", ["began_at"])
