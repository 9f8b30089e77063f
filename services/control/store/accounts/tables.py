"""The tables of accounts: departments, people and their roles, sessions, tokens, counters of logins."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.control.accounts.roles import DUTY_OF, Duty, Role
from services.control.accounts.sessions import Method
from services.control.store.metadata import INSTANT, METADATA, one_of

DEPARTMENTS: Final = Table(
    "departments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("credit_code", Text, nullable=False, unique=True),
    *(
        Column(f"{who}_{part}", Text, nullable=False)
        for who in ("head", "deputy", "clerk")
        for part in ("name", "phone")
    ),
    Column("active", Boolean, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
)

PERSONS: Final = Table(
    "persons",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("department", Text, ForeignKey("departments.id"), nullable=False),
    Column("duty", Text),
    Column("email", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("rights", Integer, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    # Who switched the account off: only that one, or the authority, switches it on again.
    Column("disabled_by", Text),
    UniqueConstraint("id", "duty"),
    one_of("duty", Duty),
    Index("ix_persons_department", "department"),
)
"""``duty`` is that of the person's roles; the tables themselves refuse a role of another one."""

PASSWORDS: Final = Table(
    "passwords",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("person", Uuid(), ForeignKey("persons.id"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("set_at", INSTANT, nullable=False),
    Index("ix_passwords_person", "person", "number"),
)
"""The newest of a person counts; older ones are kept so that they are not used again."""

_PAIRS: Final = ", ".join(f"('{role.value}', '{duty.value}')" for role, duty in DUTY_OF.items())

ROLES: Final = Table(
    "person_roles",
    METADATA,
    Column("person", Uuid(), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("duty", Text, nullable=False),
    Column("given_at", INSTANT, nullable=False),
    Column("given_by", Text, nullable=False),
    ForeignKeyConstraint(["person", "duty"], ["persons.id", "persons.duty"]),
    one_of("role", Role),
    CheckConstraint(f"(role, duty) IN ({_PAIRS})", name="duty_of_role"),
)

OVERSIGHT: Final = Table(
    "oversight",
    METADATA,
    Column("person", Uuid(), ForeignKey("persons.id"), primary_key=True),
    Column("department", Text, primary_key=True),
)
"""The departments that an overseer may look at; ``*`` is all of them."""

IDENTITIES: Final = Table(
    "identities",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("person", Uuid(), ForeignKey("persons.id"), nullable=False),
    Column("linked_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Index("ix_identities_person", "person"),
)
"""Under which name an identity provider knows a person; ``seen_at`` is the last login through it."""

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("person", Uuid(), ForeignKey("persons.id"), nullable=False),
    Column("method", Text, nullable=False),
    Column("began_at", INSTANT, nullable=False),
    Column("used_at", INSTANT, nullable=False),
    Column("rights", Integer, nullable=False),
    Column("ends_at", INSTANT),
    Column("replaced", Boolean, nullable=False),
    one_of("method", Method),
    Index("ix_sessions_person", "person"),
    Index("ix_sessions_used_at", "used_at"),
)
"""By the hash of the id; ``number`` names a session to people."""

TOKENS: Final = Table(
    "api_tokens",
    METADATA,
    Column("prefix", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("person", Uuid(), ForeignKey("persons.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_at", INSTANT),
    Column("revoked_at", INSTANT),
    Index("ix_api_tokens_person", "person"),
)

FAILURES: Final = Table(
    "login_failures",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", INSTANT),
    Index("ix_login_failures_last", "last"),
)
"""By the hash of a login name or an address: what somebody typed there may have been a password."""

BUCKETS: Final = Table(
    "rate_buckets",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("full_at", INSTANT, nullable=False),
    Index("ix_rate_buckets_full_at", "full_at"),
)

FLOWS: Final = Table(
    "oidc_flows",
    METADATA,
    Column("state", LargeBinary, primary_key=True),
    Column("browser", LargeBinary, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("began_at", INSTANT, nullable=False),
    Index("ix_oidc_flows_began_at", "began_at"),
)
"""Logins at the identity provider that have begun and not ended; each is used once."""
