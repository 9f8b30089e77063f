"""Needs for data: the demand list, stating a need, and one need with what was done about it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.etags import etag_of
from services.api.problems import AnswerProblem
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses import demand
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action as Permission
from services.control.cases.words import Problem
from services.control.catalogue.entry import read_code
from services.control.demand.need import Given, Need
from services.control.demand.table import TRANSITIONS, Demand
from services.control.demand.words import Action, DeclineReason
from services.control.store.demand.reading import Filed
from services.portal.departments import all_of
from services.portal.forms import Form, go, text
from services.portal.lists import page_number
from services.portal.rendering import page, problems_in
from services.portal.uses.acting import key_of, new_key, seen_of

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 20
NAMED: Final = frozenset({Action.WITHDRAW, Action.DECLINE})
"""What ends a need for good and asks for its number."""
_TYPED: Final = ("subject", "items", "scenario", "basis_document", "basis_article", "code")


@router.get("/demand")
def list_page(request: Request) -> Response:
    """What departments need, merged, the most wanted first."""
    principal = principal_of(request)
    parts, start = parts_of(request), page_number(request.query_params.get("after", "")) or 0
    found, total = demand.demanded_page(parts, principal, start, _PER_PAGE)
    if start and start >= total:
        start = 0
        found, total = demand.demanded_page(parts, principal, start, _PER_PAGE)
    return page(
        request,
        "demand/list.html",
        demanded=found,
        total=total,
        following=start + _PER_PAGE if start + _PER_PAGE < total else None,
        may_state=sees(principal, Permission.DEMAND_STATE, own(principal)),
    )


@router.get("/demand/new")
def new_page(request: Request) -> Response:
    """The form of a need."""
    require(request, Permission.DEMAND_STATE, own(principal_of(request)))
    given = dict.fromkeys(_TYPED, "") | {"subject": request.query_params.get("subject", "")[:200]}
    return _form(request, given | {"key": new_key(request)})


@router.post("/demand/new")
def state_need(request: Request, form: Form) -> Response:
    """State a need; sent twice, it is stated once."""
    parts = parts_of(request)
    principal = require(request, Permission.DEMAND_STATE, own(principal_of(request)))
    given = {name: text(form, name) for name in (*_TYPED, "key")}
    said = demand.Statement(
        given["subject"],
        _items(given["items"]),
        given["scenario"],
        given["basis_document"],
        given["basis_article"],
        given["code"],
    )
    asked = Asked(key_of(form), "page-state-need", tuple(given[name] for name in _TYPED))
    try:
        answer = once(
            parts,
            principal,
            asked,
            lambda connection: _made(demand.stated(parts, principal, connection, said)),
        )
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _form(request, given, problems_in(request, error), error.code.status)
    return go(answer.headers["location"])


@router.get("/demand/{number}")
def need_page(request: Request, number: int) -> Response:
    """One need."""
    return _show(request, number)


@router.post("/demand/{number}/{action}")
def act(request: Request, number: int, action: Action, form: Form) -> Response:
    """Take an action; with DRAFT the way goes on to the entry's draft."""
    parts, principal = parts_of(request), principal_of(request)
    if action in NAMED and text(form, "confirm") != str(number):
        return _show(request, number, tried=action, status=Code.INVALID.status, unconfirmed=True)
    seen = etag_of(seen_of(form))
    try:
        with parts.database.begin() as connection:
            done = demand.acted(parts, principal, connection, number, action, _given(form), seen)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _show(request, number, problems_in(request, error), action, error.code.status)
    if action is Action.DRAFT:
        return go(f"/catalogue/entries/{done.need.entry}/edit")
    return go(f"/demand/{number}?done={action.value}")


def _show(
    request: Request,
    number: int,
    problems: tuple[Problem, ...] = (),
    tried: Action | None = None,
    status: int = 200,
    *,
    unconfirmed: bool = False,
) -> Response:
    found = demand.shown(parts_of(request), principal_of(request), number)
    need = found.filed.need
    return page(
        request,
        "demand/need.html",
        status,
        number=number,
        need=need,
        opening=need.opening,
        version=found.filed.version,
        forms=[_action_form(need, each) for each in found.actions],
        problems=problems,
        tried=tried,
        unconfirmed=unconfirmed,
        reasons=tuple(DeclineReason),
        departments=[each for each in all_of(request).values() if each.active],
    )


def _action_form(need: Need, action: Action) -> Mapping[str, Any]:
    """What the form of an action asks for: what the life of a need demands."""
    demands = TRANSITIONS[need.state, action].demands
    return {
        "action": action,
        "text": Demand.TEXT in demands,
        "reason": Demand.REASON in demands,
        "department": Demand.DEPARTMENT in demands,
        "code": Demand.CODE in demands,
        "named": action in NAMED,
    }


def _form(
    request: Request, given: Mapping[str, str], problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    return page(request, "demand/new.html", status, given=given, problems=problems)


def _made(filed: Filed) -> Made:
    return Made(None, 303, {"location": f"/demand/{filed.number}"})


def _given(form: FormData) -> Given:
    reason = text(form, "reason")
    return Given(
        text=text(form, "text"),
        reason=DeclineReason(reason) if reason in set(DeclineReason) else None,
        department=text(form, "department"),
        subject=text(form, "subject"),
        code=read_code(text(form, "code")),
    )


def _items(typed: str) -> tuple[str, ...]:
    """One item on each line."""
    return tuple(line.strip() for line in typed.splitlines() if line.strip())
