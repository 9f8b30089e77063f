"""What is to be done on the bus for cases, how far it is, who may fetch a credential, and when each ends."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.control.credential_life import Ended
from services.control.docket.requests import Wanted
from services.control.store.metadata import INSTANT, METADATA, one_of


class Outcome(StrEnum):
    """How a request for a grant ended."""

    OWED = "owed"
    DONE = "done"
    FAILED = "failed"
    """A step failed: the case says which and why, and a retry is a request of its own."""
    DROPPED = "dropped"
    """A later request of the same case came first, or the case went another way."""


GRANT_WORKS: Final = Table(
    "grant_works",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", Uuid(), ForeignKey("cases.id"), nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("event", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("receipt", Text, nullable=False, server_default=text("''")),
    Column("records", BigInteger),
    Column("withdrawn", BigInteger),
    Column("taken_at", INSTANT, nullable=False),
    Column("next_at", INSTANT),
    Column("ended_at", INSTANT),
    one_of("wanted", Wanted),
    one_of("outcome", Outcome),
    Index("ix_grant_works_owed", "wanted", "entry", postgresql_where=text("outcome = 'owed'")),
    Index("ix_grant_works_case_id_event", "case_id", "event"),
)
"""Requests for grants as they were taken from the outbox, by the number of their entry there."""

CREDENTIAL_PICKUPS: Final = Table(
    "credential_pickups",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("case_id", Uuid(), ForeignKey("cases.id")),
    Column("consumer", Text, nullable=False),
    Column("rotates", Boolean, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("issued_at", INSTANT, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("collected_at", INSTANT),
    Column("collected_by", Text),
    CheckConstraint("rotates OR case_id IS NOT NULL", name="case"),
    Index("ix_credential_pickups_consumer", "consumer", "issued_at"),
)
"""Who may fetch a consumer's credential, once: the digest of a code, never the code and never a password.

With a code that rotates, what is fetched is a new one, which takes the place of the old one at that moment.
"""

DEPARTMENT_CREDENTIALS: Final = Table(
    "department_credentials",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("ended", Text),
    one_of("ended", Ended),
    CheckConstraint("expires_at > issued_at", name="times"),
    CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="end"),
    Index(
        "ix_department_credentials_open",
        "consumer",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
)
"""Every version of each department's credential with its last moment; at most one of a department is open."""
