"""Yearly reports: until when which department has to hand in its own, and noting that one was handed in."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.problems import AnswerProblem
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import reports
from services.api.uses.reach import own, sees
from services.control.cases.words import Problem
from services.control.docket.report_clock import ReportDuty
from services.portal.forms import Form, go, text
from services.portal.rendering import page, problems_in

router = APIRouter(include_in_schema=False)
_LONGEST = 200


@router.get("/reports")
def reports_page(request: Request) -> Response:
    """Reports that somebody sees, the newest year first."""
    return _show(request)


@router.post("/reports/{duty}/{year}")
def hand_in(request: Request, duty: ReportDuty, year: int, form: Form) -> Response:
    """Note that the own department's report on a year was handed in."""
    parts, principal = parts_of(request), principal_of(request)
    try:
        with parts.database.begin() as connection:
            named = text(form, "reference")[:_LONGEST]
            reports.handed_in(parts, principal, connection, duty, year, named)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _show(request, problems_in(request, error), error.code.status)
    return go("/reports?done=yes")


def _show(request: Request, problems: tuple[Problem, ...] = (), status: int = 200) -> Response:
    principal = principal_of(request)
    return page(
        request,
        "reports.html",
        status,
        rows=reports.listed(parts_of(request), principal),
        mine={
            (duty, principal.department)
            for duty, action in reports.ACTIONS.items()
            if sees(principal, action, own(principal))
        },
        problems=problems,
        longest=_LONGEST,
    )
