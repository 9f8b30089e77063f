"""The end of a version, decided on the page of its entry: announced, postponed, given up."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.etags import etag_of
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import retirements
from services.control.cases.words import Problem
from services.portal.forms import Form, go, text, values
from services.portal.pages.catalogue import show
from services.portal.rendering import saying
from services.portal.times import day_from
from services.portal.uses.acting import seen_of

router = APIRouter(include_in_schema=False)


@router.post("/catalogue/entries/{entry}/retire")
def announce(request: Request, entry: str, form: Form) -> Response:
    """Announce that a version ends; what is against it is said beside its form."""
    parts, principal = parts_of(request), asker_of(request).principal
    say, old = saying(request), text(form, "old")

    def work(connection: Connection) -> None:
        if text(form, "confirm") != old:
            what, remedy = say("that is not the name of the version"), say("type it to confirm")
            raise AnswerProblem(Code.INVALID, [Problem("NOT_CONFIRMED", "confirm", what, remedy)])
        wanted = retirements.Asked(
            old,
            text(form, "new"),
            _day(request, form, "retires_on"),
            text(form, "why"),
            _day(request, form, "parallel_from"),
        )
        retirements.planned(parts, principal, connection, wanted)

    return _tried(request, entry, form, "retire", old, work)


@router.post("/catalogue/entries/{entry}/retirements/{retirement}/postpone")
def postpone(request: Request, entry: str, retirement: UUID, form: Form) -> Response:
    """Let a version end later."""
    parts, principal = parts_of(request), asker_of(request).principal

    def work(connection: Connection) -> None:
        day, seen = _day(request, form, "retires_on"), etag_of(seen_of(form))
        retirements.postponed(parts, principal, connection, retirement, day, text(form, "why"), seen)

    return _tried(request, entry, form, "postpone", _old(request, retirement), work)


@router.post("/catalogue/entries/{entry}/retirements/{retirement}/cancel")
def cancel(request: Request, entry: str, retirement: UUID, form: Form) -> Response:
    """Let a version stay."""
    parts, principal = parts_of(request), asker_of(request).principal

    def work(connection: Connection) -> None:
        seen = etag_of(seen_of(form))
        retirements.cancelled(parts, principal, connection, retirement, text(form, "why"), seen)

    return _tried(request, entry, form, "cancel", _old(request, retirement), work)


def _tried(
    request: Request, entry: str, form: FormData, which: str, old: str, work: Callable[[Connection], None]
) -> Response:
    """Do it, or show the page of the entry with what is against it and what was typed."""
    try:
        with parts_of(request).database.begin() as connection:
            work(connection)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return show(request, entry, error, retiring=which, typed=dict(values(form)) | {"old": old})
    return go(f"/catalogue/entries/{entry}")


def _old(request: Request, retirement: UUID) -> str:
    """The version that a retirement is about."""
    return retirements.shown(parts_of(request), asker_of(request).principal, retirement).old


def _day(request: Request, form: FormData, name: str) -> date:
    """The day of a field.

    Raises:
        AnswerProblem: it holds none.
    """
    found, say = day_from(text(form, name)), saying(request)
    if found is None:
        problem = Problem("NO_DAY", name, say("that is no day"), say("choose a day"))
        raise AnswerProblem(Code.INVALID, [problem])
    return found
