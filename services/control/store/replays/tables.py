"""The table of replays: what was asked for, by whom, who approved it, how far it is, what it came to."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.control.replays.life import State
from services.control.store.metadata import INSTANT, METADATA, one_of
from services.ledger.replay.words import Purpose

REPLAYS: Final = Table(
    "replays",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("scope", JSONB, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("approved_by", Text),
    Column("moved_at", INSTANT, nullable=False),
    Column("progress", JSONB(none_as_null=True)),
    # Per part what became of it, so that a run that was killed is carried on.
    Column("parts", JSONB, nullable=False),
    Column("result", JSONB(none_as_null=True)),
    one_of("purpose", Purpose),
    one_of("state", State),
    CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", name="approved_by_another"),
    Index("ix_replays_state_number", "state", "number"),
)
