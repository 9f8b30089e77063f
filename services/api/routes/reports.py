"""``/api/v1/reports``: yearly reports, until when they are owed, and that one was handed in."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.api.forms import Form, Key, Word
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import reports
from services.control.docket.report_clock import ReportDuty
from services.control.store.reports.reading import Report

router = APIRouter(prefix="/reports", tags=["reports"])


class HandedInForm(Form):
    """Which report was handed in, and the number of its document."""

    duty: ReportDuty
    year: Annotated[int, Field(ge=2000, le=2999)]
    reference: Word


class ReportAnswer(Answer):
    """The report of a department on a year."""

    duty: ReportDuty
    department: str
    year: int
    due_on: date
    days_left: int = Field(description="Working days until the last one, below zero those that are over.")
    document: str = Field(description="Which sets the day.")
    article: str | None
    handed_in_at: datetime | None
    reference: str | None


class HandedInAnswer(Answer):
    """That a report was handed in."""

    duty: ReportDuty
    department: str
    year: int


@router.get("")
def list_reports(request: Request) -> Page[ReportAnswer]:
    """List yearly reports, the newest year first: until when, and what was handed in."""
    found = reports.listed(parts_of(request), principal_of(request))
    return Page(items=[_answer(report, left) for report, left in found])


@router.post("", status_code=201, response_model=HandedInAnswer)
def hand_in_report(request: Request, form: HandedInForm, key: Key = None) -> Response:
    """Note that the own department has handed in its report on a year: its task is done by that."""
    parts, principal = parts_of(request), principal_of(request)
    return once(
        parts,
        principal,
        Asked(key, "hand-in-report", (form.model_dump(mode="json"),)),
        lambda connection: _made(
            reports.handed_in(parts, principal, connection, form.duty, form.year, form.reference)
        ),
    )


def _made(report: Report) -> Made:
    return Made(HandedInAnswer(duty=report.duty, department=report.department, year=report.year), 201)


def _answer(report: Report, left: int) -> ReportAnswer:
    source, handed = report.due.source, report.handed
    return ReportAnswer(
        duty=report.duty,
        department=report.department,
        year=report.year,
        due_on=report.due.due.day,
        days_left=left,
        document=source.document,
        article=source.article,
        handed_in_at=None if handed is None else handed.at,
        reference=None if handed is None else handed.reference,
    )
