"""The tables of reports: which yearly ones were handed in, and what was made of the figures."""

from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Index, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.control.docket.report_clock import ReportDuty
from services.control.reports.words import Kind
from services.control.store.metadata import INSTANT, METADATA, one_of

REPORTS: Final = Table(
    "annual_reports",
    METADATA,
    Column("duty", Text, primary_key=True),
    Column("department", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("reference", Text, nullable=False),
    Column("filed_at", INSTANT, nullable=False),
    Column("filed_by", Text, nullable=False),
    one_of("duty", ReportDuty),
)
"""``reference`` is the number of the document under which it went its usual way."""

MADE: Final = Table(
    "made_reports",
    METADATA,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("department", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("as_of", INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    one_of("kind", Kind),
    Index("ix_made_reports_kind", "kind", "year", "department"),
)
"""Reports as they were made, with all figures; a trigger refuses to change or delete a row."""
