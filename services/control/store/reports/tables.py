"""The table of yearly reports: a row for each one that was handed in, and none for what is still owed."""

from typing import Final

from sqlalchemy import Column, SmallInteger, Table, Text

from services.control.docket.report_clock import ReportDuty
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
"""``reference`` is the number of the document; the report itself is not kept here."""
