"""The table of orders for receipts: what was asked for, and the receipt once it is made."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.control.evidence.ordering import Obstacle, State
from services.control.store.metadata import INSTANT, METADATA, one_of

RECEIPTS: Final = Table(
    "receipt_orders",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("grant_id", Text),
    Column("topic", Text),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("shown", ARRAY(Text), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("department", Text, nullable=False),
    # Those of what the receipt is of; the one above is whose who asked is.
    Column("provider", Text),
    Column("consumer", Text),
    Column("witness", LargeBinary),
    Column("asked_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("obstacle", Text),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next, while it is asked for.
    Column("due_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("digest", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary),
    one_of("state", State),
    one_of("obstacle", Obstacle),
    CheckConstraint("(grant_id IS NULL) <> (topic IS NULL)", name="of_one_thing"),
    CheckConstraint("(state = 'made') = (content IS NOT NULL)", name="content_where_made"),
    CheckConstraint("(state = 'asked') = (ended_at IS NULL)", name="ended_unless_asked"),
    Index("ix_receipt_orders_state_due_at", "state", "due_at"),
    Index("ix_receipt_orders_department_number", "department", "number"),
    Index("ix_receipt_orders_ended_at", "ended_at"),
)
