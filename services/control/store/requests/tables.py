"""The table of requests that were answered, by the key that whoever asked chose."""

from typing import Final

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.control.store.metadata import INSTANT, METADATA

REQUESTS: Final = Table(
    "answered_requests",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", JSONB(none_as_null=True)),
    Column("recorded_at", INSTANT, nullable=False),
    Index("ix_answered_requests_recorded_at", "recorded_at"),
)
"""By the hash of who asked and the key. What was shown once, such as a password, is not kept."""
