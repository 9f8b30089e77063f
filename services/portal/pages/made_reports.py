"""Reports from the figures: those that were made, one of them, the rows behind a figure."""

from enum import StrEnum
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import made_reports
from services.api.uses.reach import sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.clocks.calendar import civil_day
from services.control.reports.rendering import department_name, html, is_table, titled, xlsx
from services.control.reports.report import Scope, behind, departments_of
from services.control.reports.words import ABOUT, KINDS, Kind, Measure
from services.portal.forms import Form, go, text
from services.portal.languages import tongue_of
from services.portal.lists import page_number
from services.portal.operations.asked import asked
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 50
_YEARS: Final = range(2000, 3000)
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Shape(StrEnum):
    """The forms of a report as a file."""

    HTML = "html"
    XLSX = "xlsx"


@router.get("/reports/made")
def made_page(request: Request) -> Response:
    """Reports that were made, the newest first."""
    principal = principal_of(request)
    return page(
        request,
        "reports/made.html",
        rows=made_reports.made_ones(parts_of(request), principal),
        kinds=KINDS,
        year=civil_day(parts_of(request).clock()).year - 1,
        own=principal.department,
        everywhere=sees(principal, Action.REPORT_MAKE, Whose()),
    )


@router.post("/reports/made")
def make(request: Request, form: Form) -> Response:
    """Count the figures now and keep them."""
    kind, year = text(form, "kind"), page_number(text(form, "year"))
    if kind not in set(Kind) or year is None or year not in _YEARS:
        raise AnswerProblem(Code.INVALID)
    scope = Scope(Kind(kind), year, text(form, "department"))
    made = made_reports.make_one(parts_of(request), principal_of(request), scope)
    return go(f"/reports/made/{made.number}")


@router.get("/reports/made/{number}")
def one_page(request: Request, number: int) -> Response:
    """A report as it was made: its figures with the way to their rows, and departments side by side."""
    made = made_reports.made_one(parts_of(request), principal_of(request), number)
    language, report = tongue_of(request).language, made.report
    return page(
        request,
        "reports/one.html",
        made=made,
        report=report,
        title=titled(KINDS[report.scope.kind], language),
        about=ABOUT,
        departments=departments_of(report) if is_table(report) else [],
        name=lambda id_: department_name(report, id_, language),
        link=lambda measure, department="": behind(measure, report.scope.year, department),
    )


@router.get("/reports/made/{number}/report.{shape}")
def file(request: Request, number: int, shape: Shape) -> Response:
    """The report as a page that prints, or as a workbook."""
    made = made_reports.made_one(parts_of(request), principal_of(request), number)
    language = tongue_of(request).language
    if shape is Shape.HTML:
        return Response(html(made.report, language), media_type="text/html; charset=utf-8")
    headers = {"content-disposition": f'attachment; filename="report-{number}.xlsx"'}
    return Response(xlsx(made.report, language), headers=headers, media_type=_XLSX)


@router.get("/reports/behind/{measure}")
def behind_page(request: Request, measure: Measure) -> Response:
    """The rows behind a figure, as they stand now."""
    year = page_number(request.query_params.get("year", ""))
    if year is None or year not in _YEARS:
        raise AnswerProblem(Code.NOT_FOUND)
    start = page_number(request.query_params.get("after", "")) or 0
    department = asked(request, "department") or ""
    parts, principal = parts_of(request), principal_of(request)
    found = made_reports.behind(parts, principal, measure, year, department, start, _PER_PAGE)
    return page(
        request,
        "reports/behind.html",
        found=found,
        about=ABOUT[measure],
        year=year,
        department=department,
        following=start + _PER_PAGE if start + _PER_PAGE < found.count else None,
    )
