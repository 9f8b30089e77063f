"""The table of retirements: which version of a resource ends when, by which successor, and who decided it."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, SmallInteger, Table, Text, Uuid, text

from services.control.retirements.words import State
from services.control.store.metadata import INSTANT, METADATA, one_of

RETIREMENTS: Final = Table(
    "retirements",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("old_id", Text, nullable=False),
    Column("new_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("announced_at", INSTANT, nullable=False),
    Column("parallel_from", Date, nullable=False),
    Column("retires_on", Date, nullable=False),
    Column("working_days", SmallInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    Column("lock_version", Integer, nullable=False),
    one_of("state", State),
    CheckConstraint("retires_on > parallel_from", name="days"),
    Index("ix_retirements_old_id", "old_id", unique=True, postgresql_where=text("state <> 'cancelled'")),
)
"""A version ends once: beside one that is planned or done there are cancelled ones only."""
