"""Where notices go: a department's mailboxes and endpoints, their secrets, and whether notices arrive."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import notice_addresses
from services.api.uses.notice_addresses import Wanted
from services.control.accounts.people import Person
from services.control.notices.words import Language
from services.control.store.notices.tables import Way
from services.portal.departments import all_of
from services.portal.forms import Form, go, own_path, text, values
from services.portal.lists import address_of, page_number
from services.portal.rendering import page, problems_in

router = APIRouter(include_in_schema=False)
_PAGE = "/inbox/addresses"


@router.get(_PAGE)
def addresses_page(request: Request) -> Response:
    """Where notices of a department go, of the own one unless another is chosen."""
    return _show(request)


@router.post(_PAGE)
def add(request: Request, form: Form) -> Response:
    """Add a mailbox or an endpoint; an endpoint's secret is on the answer, and nowhere else ever again."""
    parts, principal = parts_of(request), asker_of(request).principal
    way = Way.WEBHOOK if text(form, "way") == Way.WEBHOOK.value else Way.EMAIL
    language = Language.EN if text(form, "language") == Language.EN.value else Language.ZH
    try:
        with parts.database.begin() as connection:
            shown = notice_addresses.added(
                parts, principal, connection, Wanted(way, text(form, "target"), language)
            )
    except AnswerProblem as error:
        if not error.problems:
            raise
        found = problems_in(request, error)
        return _show(request, error.code.status, problems=found, typed=dict(values(form)))
    return _show(request, secret=shown) if shown.secret else go(f"{_PAGE}?done=added")


@router.post(_PAGE + "/{number}/secret")
def rotate(request: Request, number: str) -> Response:
    """Give an endpoint a new secret; it is on the answer, and nowhere else ever again."""
    parts, principal = parts_of(request), asker_of(request).principal
    with parts.database.begin() as connection:
        shown = notice_addresses.rotated(parts, principal, connection, page_number(number) or 0)
    return _show(request, secret=shown)


@router.post(_PAGE + "/{number}/off")
def switch_off(request: Request, number: str, form: Form) -> Response:
    """Send nothing there any more, once it is clear that just this one is meant."""
    parts, principal = parts_of(request), asker_of(request).principal
    meant = notice_addresses.to_switch_off(parts, principal, page_number(number) or 0)
    if text(form, "confirm") != meant.target:
        return _show(request, 422, meant.department, unconfirmed=meant.id)
    notice_addresses.switched_off(parts, principal, meant.id)
    return go(own_path(text(form, "back"), _PAGE))


@router.post("/inbox/deliveries/{number}/try")
def try_anew(request: Request, number: str, form: Form) -> Response:
    """Have a dead delivery tried from the beginning."""
    notice_addresses.tried_anew(parts_of(request), asker_of(request).principal, page_number(number) or 0)
    return go(own_path(text(form, "back"), _PAGE))


def _show(request: Request, status: int = 200, whose: str = "", **more: Any) -> Response:
    parts, asker = parts_of(request), asker_of(request)
    department = whose or address_of(request).get("department") or asker.principal.department
    shown: dict[str, Any] = {
        "department": department,
        "departments": sorted(all_of(request)),
        "known": notice_addresses.listed(parts, asker.principal, department),
        "sent": notice_addresses.sent(parts, asker.principal, department),
        "secret": None,
        "unconfirmed": None,
        "problems": (),
        "typed": _offered(asker.person),
        "Way": Way,
        "Language": Language,
    }
    return page(request, "notices/addresses.html", status, **(shown | more))


def _offered(person: Person) -> dict[str, str]:
    """What stands in the form at first: the mailbox of who looks."""
    return {"way": Way.EMAIL.value, "target": person.email}
