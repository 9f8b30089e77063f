"""Keeps reports as they were made, with digest, moment and maker, and reads them again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from services.control.reports.report import Report, digest_of, report_from
from services.control.reports.words import Kind
from services.control.store.outbox import Act, append
from services.control.store.reports.tables import MADE

_OBJECT = "made-report"


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was made; ``by`` is the account, ``digest`` that of its text."""

    number: int
    report: Report
    digest: str
    by: str

    @property
    def is_whole(self) -> bool:
        """Whether the text is still the one of the digest."""
        return digest_of(self.report.document) == self.digest


@dataclass(frozen=True, slots=True)
class Wish:
    """Which reports are wanted; what is not set does not matter."""

    kind: Kind | None = None
    year: int | None = None
    departments: Collection[str] | None = None
    """Only those on one of these departments."""


def keep(connection: Connection, report: Report, by: str) -> Made:
    """Keep a report for ever; the act with its digest goes to the ledger."""
    document, scope = report.document, report.scope
    digest = digest_of(document)
    row = {
        "kind": scope.kind.value,
        "year": scope.year,
        "department": scope.department,
        "document": document,
        "digest": digest,
        "as_of": report.as_of,
        "made_by": by,
    }
    number = int(connection.execute(MADE.insert().values(row).returning(MADE.c.number)).scalar_one())
    facts = {"kind": scope.kind.value, "year": scope.year, "digest": digest, "department": scope.department}
    append(connection, Act(by, "report.make", _OBJECT, str(number), report.as_of, facts=facts))
    return Made(number, report, digest, by)


def kept(connection: Connection, number: int) -> Made | None:
    """A report by its number; None where there is none."""
    row = connection.execute(select(MADE).where(MADE.c.number == number)).first()
    return None if row is None else _made(row)


def listed(connection: Connection, wish: Wish, limit: int = 100) -> list[Made]:
    """Reports, the newest first."""
    asked = select(MADE).order_by(MADE.c.number.desc()).limit(limit)
    if wish.kind is not None:
        asked = asked.where(MADE.c.kind == wish.kind.value)
    if wish.year is not None:
        asked = asked.where(MADE.c.year == wish.year)
    if wish.departments is not None:
        asked = asked.where(MADE.c.department.in_(list(wish.departments)))
    return [_made(row) for row in connection.execute(asked)]


def _made(row: Row[Any]) -> Made:
    return Made(row.number, report_from(row.document), row.digest, row.made_by)
