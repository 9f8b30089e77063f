"""Objections to the open directory: those that one sees, making one, and one with what was answered."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

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
from services.api.uses import catalogue, objections
from services.api.uses.reach import own
from services.control.accounts.actions import Action as Permission
from services.control.accounts.roles import Role
from services.control.cases.words import Problem
from services.control.objections.objection import Given
from services.control.objections.table import TRANSITIONS, Demand
from services.control.objections.words import Action
from services.portal.forms import Form, go, number, text
from services.portal.lists import page_number
from services.portal.rendering import page, problems_in
from services.portal.uses.acting import key_of, new_key, seen_of

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 50
NAMED: Final = frozenset({Action.WITHDRAW})
"""What ends an objection for good and asks for its number."""


@router.get("/objections")
def list_page(request: Request) -> Response:
    """Objections that somebody sees, the newest first."""
    before = page_number(request.query_params.get("before", ""))
    found = objections.objections(
        parts_of(request), principal_of(request), before=before, limit=_PER_PAGE + 1
    )
    rows = found[:_PER_PAGE]
    following = rows[-1].filed.number if len(found) > _PER_PAGE else None
    return page(request, "objections/list.html", rows=rows, following=following)


@router.get("/objections/new")
def new_page(request: Request, entry: UUID) -> Response:
    """The form of an objection to one entry."""
    require(request, Permission.OBJECTION_OBJECT, own(principal_of(request)))
    return _form(request, entry, {"text": "", "reference": "", "key": new_key(request)})


@router.post("/objections/new")
def make(request: Request, entry: UUID, form: Form) -> Response:
    """Object; sent twice, it is made once."""
    parts = parts_of(request)
    principal = require(request, Permission.OBJECTION_OBJECT, own(principal_of(request)))
    given = {name: text(form, name) for name in ("text", "reference", "key")}
    said = objections.Said(entry, given["text"], given["reference"][:200])
    asked = Asked(key_of(form), "page-object", (str(entry), given["text"], given["reference"]))
    try:
        answer = once(
            parts,
            principal,
            asked,
            lambda connection: _made(objections.made(parts, principal, connection, said).number),
        )
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _form(request, entry, given, problems_in(request, error), error.code.status)
    return go(answer.headers["location"])


@router.get("/objections/{number}")
def objection_page(request: Request, number: int) -> Response:
    """One objection."""
    return _show(request, number)


@router.post("/objections/{number}/{action}")
def act(request: Request, number: int, action: Action, form: Form) -> Response:
    """Answer an objection, extend its time, or withdraw it."""
    parts, principal = parts_of(request), principal_of(request)
    if action in NAMED and text(form, "confirm") != str(number):
        return _show(request, number, tried=action, status=Code.INVALID.status, unconfirmed=True)
    found = objections.shown(parts, principal, number)
    seen = etag_of(seen_of(form))
    try:
        with parts.database.begin() as connection:
            objections.acted(parts, principal, connection, number, action, _given(form, found), seen)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _show(request, number, problems_in(request, error), action, error.code.status)
    return go(f"/objections/{number}?done={action.value}")


def _show(
    request: Request,
    number: int,
    problems: tuple[Problem, ...] = (),
    tried: Action | None = None,
    status: int = 200,
    *,
    unconfirmed: bool = False,
) -> Response:
    found = objections.shown(parts_of(request), principal_of(request), number)
    clock = found.filed.clock
    return page(
        request,
        "objections/objection.html",
        status,
        found=found,
        opening=found.filed.objection.opening,
        objection=found.filed.objection,
        source=None if clock is None else clock.source,
        extension=None if clock is None else clock.stage.rule.extension,
        forms=[_action_form(each) for each in found.actions if _possible(found, each)],
        problems=problems,
        tried=tried,
        unconfirmed=unconfirmed,
    )


def _possible(found: objections.Shown, action: Action) -> bool:
    """More time is offered where the rule gives some, and once."""
    clock = found.filed.clock
    if action is not Action.EXTEND:
        return True
    return clock is not None and clock.stage.rule.extension is not None and clock.run.extended is None


def _action_form(action: Action) -> Mapping[str, Any]:
    """What the form of an action asks for: what the life of an objection demands."""
    demands = next(each.demands for (_, taken), each in TRANSITIONS.items() if taken is action)
    return {
        "action": action,
        "text": Demand.TEXT in demands,
        "basis": Demand.BASIS in demands,
        "days": Demand.DAYS in demands,
        "named": action in NAMED,
    }


def _form(
    request: Request,
    entry: UUID,
    given: Mapping[str, str],
    problems: tuple[Problem, ...] = (),
    status: int = 200,
) -> Response:
    principal = principal_of(request)
    stored = catalogue.shown(parts_of(request), principal, str(entry)).stored
    version = stored.dossier.published or stored.dossier.versions[-1]
    return page(
        request,
        "objections/new.html",
        status,
        id=entry,
        entry=version.entry,
        given=given,
        problems=problems,
        for_public=Role.AUTHORITY in principal.roles,
    )


def _made(number: int) -> Made:
    return Made(None, 303, {"location": f"/objections/{number}"})


def _given(form: FormData, found: objections.Shown) -> Given:
    """What was typed; who approves an extension is whom the rule names, and it is ticked that he did."""
    clock = found.filed.clock
    rule = None if clock is None else clock.stage.rule.extension
    approved = rule is not None and text(form, "approved") == "yes"
    return Given(
        text=text(form, "text"),
        basis=text(form, "basis")[:200],
        days=number(text(form, "days")),
        approver=rule.approver if rule is not None and approved else "",
    )
