"""Maintenance: what is announced, for everybody; and announcing or withdrawing it, for whoever may."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.problems import AnswerProblem
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import maintenance
from services.api.uses.maintenance import Wanted
from services.control.cases.words import Problem
from services.portal.forms import Form, go, text, values
from services.portal.rendering import page, problems_in, speak
from services.portal.times import moment_from

router = APIRouter(include_in_schema=False)
_LONGEST = 500


@router.get("/maintenance")
def maintenance_page(request: Request) -> Response:
    """Announced maintenance, the next first."""
    return _show(request)


@router.post("/maintenance")
def announce(request: Request, form: Form) -> Response:
    """Announce maintenance to every department, unless the notice would be too short."""
    begin, end, why = moment_from(text(form, "begin")), moment_from(text(form, "end")), text(form, "why")
    if begin is None or end is None or not 0 < len(why) <= _LONGEST:
        return _show(request, 422, _incomplete(request, begin, end, why), dict(values(form)))
    parts, principal = parts_of(request), principal_of(request)
    try:
        with parts.database.begin() as connection:
            maintenance.announced(parts, principal, connection, Wanted(begin, end, why))
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _show(request, error.code.status, problems_in(request, error), dict(values(form)))
    return go("/maintenance?done=announced")


@router.get("/maintenance/{id_}")
def announcement_page(request: Request, id_: UUID) -> Response:
    """One announcement: where notices lead, also after it was withdrawn or is over."""
    return _show_one(request, id_)


@router.post("/maintenance/{id_}/withdrawal")
def withdraw(request: Request, id_: UUID, form: Form) -> Response:
    """Withdraw an announcement, once it is clear that just this one is meant."""
    why = text(form, "why")
    if text(form, "confirm") != str(id_)[-8:] or not 0 < len(why) <= _LONGEST:
        return _show_one(request, id_, 422, why=why, unconfirmed=True)
    maintenance.withdrawn(parts_of(request), principal_of(request), id_, why)
    return go("/maintenance?done=withdrawn")


def _show(
    request: Request,
    status: int = 200,
    problems: tuple[Problem, ...] = (),
    typed: dict[str, str] | None = None,
) -> Response:
    parts, principal = parts_of(request), principal_of(request)
    return page(
        request,
        "maintenance/list.html",
        status,
        planned=maintenance.coming(parts, principal),
        days=maintenance.days_before(parts, principal),
        problems=problems,
        typed=typed or {},
        longest=_LONGEST,
    )


def _show_one(request: Request, id_: UUID, status: int = 200, **more: Any) -> Response:
    found = maintenance.shown(parts_of(request), principal_of(request), id_)
    shown = {"planned": found, "why": "", "unconfirmed": False, "longest": _LONGEST, **more}
    return page(request, "maintenance/one.html", status, **shown)


def _incomplete(
    request: Request, begin: datetime | None, end: datetime | None, why: str
) -> tuple[Problem, ...]:
    found = []
    for name, value in (("begin", begin), ("end", end)):
        if value is None:
            what = speak(request, "it is not said when")
            found.append(Problem("MOMENT_MISSING", name, what, speak(request, "give day and hour")))
    if not 0 < len(why) <= _LONGEST:
        what = speak(request, "it is not said what for")
        found.append(Problem("WHY_MISSING", "why", what, speak(request, "say it in at most 500 characters")))
    return tuple(found)
