"""Makes a page from a template: with who is asking, in which language, and what may be done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.api.problems import AnswerProblem, document_of
from services.api.said import problem_in
from services.api.security.asking import Asker, asker_or_none
from services.api.security.cookies import parts_of
from services.api.security.csrf import csrf_token
from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar import civil_day
from services.portal.departments import named
from services.portal.languages import COOKIE as LANGUAGE_COOKIE
from services.portal.languages import TONGUES, Tongue, asked_for, texts_of, tongue_of
from services.portal.lists import address_of
from services.portal.navigation import sections
from services.portal.static_files import served_of
from services.portal.themes import theme_of
from services.portal.times import lasting, moments
from services.portal.words import said

TEMPLATES: Final = Path(__file__).with_name("templates")
YEAR_S: Final = 365 * 86_400
_REFERRER: Final = "same-origin"
"""Without any referrer browsers send forms with an origin of `null`, as a stranger's page would."""


@dataclass(frozen=True, slots=True)
class Who:
    """The person for whom a page is made."""

    principal: Principal
    name: str
    department: str
    """The department's name in the language of the page."""


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page, or the part of one that a script asks for.

    Args:
        request: for whom, where and in which language.
        template: its path below ``templates``.
        status: of the answer.
        context: what the template shows besides what every page has.
    """
    return _answer(request, template, status, asker_or_none(request), context)


def page_for_nobody(request: Request, template: str, status: int, **context: Any) -> HTMLResponse:
    """A page that asks nobody who is reading it: for problems, which may be that very question's."""
    asker = getattr(request.state, "asker", None)
    return _answer(request, template, status, asker if isinstance(asker, Asker) else None, context)


def speak(request: Request, message: str, **facts: object) -> str:
    """A text of the portal in the language of the request."""
    return texts_of(tongue_of(request)).gettext(message) % facts


def problems_in(request: Request, error: AnswerProblem) -> tuple[Problem, ...]:
    """What stands against a form, in the language of the reader."""
    return document_of(request, error).problems


def saying(request: Request) -> Callable[[str], str]:
    """Puts texts into the language of a request."""
    return partial(speak, request)


@cache
def environment(tongue: Tongue) -> Environment:
    """The templates in one language; every value is escaped, and a missing one is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(texts_of(tongue), newstyle=True)  # type: ignore[attr-defined]
    made.filters["number"] = _number
    made.filters["day"] = _day
    made.filters["of_field"] = _of_field
    return made


def _answer(
    request: Request, template: str, status: int, asker: Asker | None, context: dict[str, Any]
) -> HTMLResponse:
    tongue = tongue_of(request)
    text = environment(tongue).get_template(template).render(_common(request, tongue, asker) | context)
    headers = {"content-language": tongue.tag, "vary": "cookie", "referrer-policy": _REFERRER}
    answer = HTMLResponse(text, status, headers=headers)
    if asked_for(request) is not None:
        secure = parts_of(request).settings.https
        answer.set_cookie(LANGUAGE_COOKIE, tongue.tag, YEAR_S, samesite="lax", secure=secure, httponly=True)
    return answer


def _common(request: Request, tongue: Tongue, asker: Asker | None) -> dict[str, Any]:
    """What every page has."""
    now, language = parts_of(request).clock(), tongue.language
    who = None if asker is None else _who(request, asker, language)
    served = served_of(request)
    return {
        "request": request,
        "tongue": tongue,
        "tongues": TONGUES,
        "theme": theme_of(request),
        "who": who,
        "csrf": csrf_token(request),
        "now": now,
        "today": civil_day(now),
        "here": address_of(request),
        "navigation": sections(None if who is None else who.principal),
        "static": served.address,
        "has_static": lambda name: served.get(name) is not None,
        "Action": Action,
        "Whose": Whose,
        "may": _may(who),
    } | _words(request, tongue, now)


def _words(request: Request, tongue: Tongue, now: datetime) -> dict[str, Any]:
    """How a page says moments, values, problems and departments."""
    language = tongue.language
    return {
        "when": moments(now, tongue),
        "lasting": lambda seconds: lasting(seconds, tongue),
        "word": lambda value: said(value, language),
        "in_words": lambda problem: problem_in(problem, language),
        "department_name": partial(named, request, language=language),
        "titled": lambda titles: titles.zh if language is Language.ZH else titles.en,
    }


def _who(request: Request, asker: Asker, language: Language) -> Who:
    return Who(asker.principal, asker.person.name, named(request, asker.person.department, language))


def _may(who: Who | None) -> Callable[..., bool]:
    """Whether a button is shown: the same question that the server asks when it is pressed."""

    def may(action: Action, whose: Whose | None = None) -> bool:
        if who is None:
            return False
        return isinstance(may_person(who.principal, action, whose or Whose()), Allowed)

    return may


def _of_field(problems: Iterable[Problem], *fields: str) -> list[Problem]:
    """The problems of one field of a form."""
    return [each for each in problems if each.field in fields]


def _number(value: int | None) -> str:
    """Digits in groups; nothing is rounded."""
    return "–" if value is None else f"{value:,}"


def _day(value: date | datetime | str | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = civil_day(value)
    return value if isinstance(value, str) else value.isoformat()
