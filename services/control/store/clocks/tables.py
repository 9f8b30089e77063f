"""The tables of legal clocks: calendars by the year of their notice, and policy packs by version."""

from typing import Final

from sqlalchemy import Column, Date, ForeignKeyConstraint, Integer, Table, Text

from services.control.clocks.calendar import DayKind
from services.control.clocks.pack import Level
from services.control.store.metadata import INSTANT, METADATA, one_of

YEARS: Final = Table(
    "calendar_years",
    METADATA,
    Column("calendar", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("edition", Integer, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("imported_by", Text, nullable=False),
)
"""The years whose notice is there; ``edition`` counts how often it was imported."""

DAYS: Final = Table(
    "calendar_days",
    METADATA,
    Column("calendar", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    ForeignKeyConstraint(["calendar", "year"], ["calendar_years.calendar", "calendar_years.year"]),
    one_of("kind", DayKind),
)

PACKS: Final = Table(
    "policy_packs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("imported_by", Text, nullable=False),
    one_of("level", Level),
)
"""Each version of a pack as the text that was imported; it never changes."""
