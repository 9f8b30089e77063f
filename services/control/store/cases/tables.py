"""The tables of sharing cases: events that never change, and beside them what they come to, for lists."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.control.cases.provisioning import Fault, Progress, Step
from services.control.cases.words import Action, Role, State
from services.control.store.metadata import INSTANT, METADATA, one_of

POLICIES: Final = Table(
    "case_policies",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
)
"""Merged policy packs by their digest; cases are bound to one for ever."""

ADOPTIONS: Final = Table(
    "case_policy_adoptions",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, ForeignKey("case_policies.digest"), nullable=False),
    Column("adopted_at", INSTANT, nullable=False),
    Column("adopted_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Which policy new cases are bound to: that of the highest number."""

CASES: Final = Table(
    "cases",
    METADATA,
    Column("id", Uuid(), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("grant_id", Text, nullable=False, unique=True),
    Column("policy", Text, ForeignKey("case_policies.digest"), nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("opening", JSONB, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("provider", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("entry_code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("suspended_by", Text),
    Column("open_complaints", Integer, nullable=False),
    Column("application", JSONB, nullable=False),
    Column("approval", JSONB(none_as_null=True)),
    Column("refusal", JSONB(none_as_null=True)),
    Column("undone", ARRAY(Text), nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    Column("ends_on", Date),
    Column("due_on", Date),
    Column("due_for", Text),
    Column("due_from", Text),
    Column("due_provisional", Boolean),
    one_of("state", State),
    one_of("suspended_by", Role),
    Index("ix_cases_state_number", "state", "number"),
    Index("ix_cases_consumer_number", "consumer", "number"),
    Index("ix_cases_provider_number", "provider", "number"),
    Index("ix_cases_resource", "resource"),
    Index("ix_cases_due_on_number", "due_on", "number", postgresql_where=text("due_on IS NOT NULL")),
    Index(
        "ix_cases_provider_due_on",
        "provider",
        "due_on",
        "number",
        postgresql_where=text("due_on IS NOT NULL"),
    ),
    Index("ix_cases_ends_on", "ends_on", postgresql_where=text("ends_on IS NOT NULL")),
)
"""What a case was opened with, and the fold of its events: written with them, checked by ``checking``."""

EVENTS: Final = Table(
    "case_events",
    METADATA,
    Column("case_id", Uuid(), ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("recorder", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    one_of("action", Action),
)
"""What happened, numbered from 1 for each case; a trigger refuses to change or delete a row."""

STEPS: Final = Table(
    "case_steps",
    METADATA,
    Column("case_id", Uuid(), ForeignKey("cases.id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("fault", Text),
    one_of("step", Step),
    one_of("progress", Progress),
    one_of("fault", Fault),
    Index("ix_case_steps_failed", "case_id", postgresql_where=text("progress = 'failed'")),
)
"""How far the provisioning of a case is, for lists of what is stuck."""

CLOCKS: Final = Table(
    "case_clocks",
    METADATA,
    Column("case_id", Uuid(), ForeignKey("cases.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("obliged", Text, nullable=False),
    Column("begun_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("due_on", Date),
    Column("provisional", Boolean, nullable=False),
    Column("waits_for", SmallInteger),
    Column("advisory", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("remind_at", ARRAY(SmallInteger), nullable=False),
    Column("remind_on", ARRAY(Date), nullable=False),
    Column("reminded", SmallInteger, nullable=False, server_default=text("0")),
    Column("next_reminder_on", Date),
    Column("breach_told_at", INSTANT),
    Index(
        "ix_case_clocks_next_reminder_on",
        "next_reminder_on",
        postgresql_where=text("ended_at IS NULL AND next_reminder_on IS NOT NULL"),
    ),
    Index(
        "ix_case_clocks_untold",
        "due_on",
        postgresql_where=text("breach_told_at IS NULL AND (ended_at IS NULL OR late)"),
    ),
    Index("ix_case_clocks_waits_for", "waits_for", postgresql_where=text("waits_for IS NOT NULL")),
)
"""When each duty of a case is due, counted when something happens and not when somebody asks."""

COMMANDS: Final = Table(
    "case_commands",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("answer", JSONB(none_as_null=True)),
    Column("recorded_at", INSTANT, nullable=False),
    Index("ix_case_commands_recorded_at", "recorded_at"),
)
"""What was answered under which key, so that an order is not carried out twice and is answered alike."""
