"""Clocks and policy: what counts now and from which article, the packs, the calendar, and days counted."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem, document_of, problem_of
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import clocks
from services.control.clocks.arithmetic import MOST_DAYS
from services.control.clocks.calendar import civil_day
from services.control.clocks.pack import ORDER
from services.control.clocks.policy_keys import KEYS
from services.control.store.cases.policies import Adopted
from services.control.store.errors import RaiseVersion
from services.portal.forms import Form, go, text, texts
from services.portal.languages import tongue_of
from services.portal.lists import address_of, page_number
from services.portal.rendering import page, problems_in
from services.portal.times import day_from
from services.portal.uses.policy_view import value_in_words

router = APIRouter(include_in_schema=False)


@router.get("/policy")
def policy_page(request: Request) -> Response:
    """What counts now, and days counted where the address asks for it."""
    try:
        return _show(request, due=_counted(request))
    except AnswerProblem as error:
        return _refused(request, error)


@router.get("/policy/packs/{pack}")
def pack_page(request: Request, pack: str) -> Response:
    """One pack: each value with its document and article."""
    found = clocks.packs(parts_of(request), asker_of(request).principal).get(pack)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    language = tongue_of(request).language
    return page(
        request,
        "policy/pack.html",
        pack=found,
        keys=KEYS,
        in_word=lambda given: value_in_words(given, language),
    )


@router.post("/policy/packs")
def take_pack(request: Request, form: Form) -> Response:
    """Take a version of a pack in."""
    try:
        clocks.take_pack(parts_of(request), asker_of(request).principal, _typed(form))
    except (AnswerProblem, RaiseVersion) as error:
        return _refused(request, error, content=_typed(form))
    return go("/policy?done=pack")


@router.post("/policy/adoption")
def adopt(request: Request, form: Form) -> Response:
    """Bind the cases that are opened from now on to some packs."""
    wanted = clocks.Adoption(texts(form, "pack"), texts(form, "level"), text(form, "reason"))
    try:
        with parts_of(request).database.begin() as connection:
            clocks.adopt_packs(parts_of(request), asker_of(request).principal, connection, wanted)
    except AnswerProblem as error:
        return _refused(request, error)
    return go("/policy?done=adoption")


@router.post("/policy/calendar")
def take_year(request: Request, form: Form) -> Response:
    """Take the notice of a year in: due days that waited for it are counted anew by the sweep."""
    year = page_number(text(form, "year")) or 0
    try:
        clocks.take_year(parts_of(request), asker_of(request).principal, year, _typed(form))
    except AnswerProblem as error:
        return _refused(request, error, year_content=_typed(form), year=text(form, "year"))
    return go("/policy?done=year")


def _show(request: Request, status: int = 200, **more: Any) -> Response:
    parts, principal = parts_of(request), asker_of(request).principal
    language = tongue_of(request).language
    packs = clocks.packs(parts, principal)
    shown: dict[str, Any] = {
        "adopted": _adopted(request),
        "packs": sorted(packs.values(), key=lambda each: (ORDER.index(each.level), each.id)),
        "years": clocks.years(parts, principal),
        "keys": KEYS,
        "in_word": lambda given: value_in_words(given, language),
        "due": None,
        "problems": (),
        "detail": "",
        "content": "",
        "year_content": "",
        "year": "",
    }
    return page(request, "policy/list.html", status, **(shown | more))


def _adopted(request: Request) -> Adopted | None:
    try:
        return clocks.policy(parts_of(request), asker_of(request).principal)
    except AnswerProblem as error:
        if error.code is Code.NOT_FOUND:
            return None
        raise


def _counted(request: Request) -> Any:
    """The day that the address asks for, None where it asks for none or says no number."""
    here, parts = address_of(request), parts_of(request)
    count = page_number(here.get("days"))
    if count is None or count > MOST_DAYS:
        return None
    start = day_from(here.get("start")) or civil_day(parts.clock())
    return clocks.due(parts, asker_of(request).principal, start, count)


def _refused(request: Request, error: AnswerProblem | RaiseVersion, **typed: str) -> Response:
    if isinstance(error, RaiseVersion):
        detail = document_of(request, problem_of(error)).detail
        return _show(request, Code.VERSION_TAKEN.status, detail=detail, **typed)
    if error.code not in (Code.INVALID, Code.REFUSED, Code.NOT_FOUND):
        raise error
    document = document_of(request, error)
    detail = document.detail if error.detail else document.title
    return _show(request, error.code.status, problems=problems_in(request, error), detail=detail, **typed)


def _typed(form: FormData) -> str:
    """A text as it was typed; browsers end lines in their own way."""
    value = form.get("content")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""
