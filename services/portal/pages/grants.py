"""Grants: who gets what, how far behind each is, when it last delivered; read from the snapshot."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import permit, principal_of
from services.api.security.cookies import parts_of
from services.api.uses.reach import require_sight
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.operations import By, GrantLine, GrantWish, grant, grants, rounds
from services.control.store.snapshots import Kind
from services.portal.operations.asked import PAGE, asked, page_asked, seeing
from services.portal.operations.case_stops import stops_of
from services.portal.operations.sight import may_look
from services.portal.rendering import page
from topics.grants.declaration import GrantState

router = APIRouter(include_in_schema=False)
STATES = tuple(state.value for state in GrantState)


@router.get("/grants")
def grants_page(request: Request) -> Response:
    """The grants that the reader may see."""
    principal, seen = seeing(request, Action.GRANT_LOOK)
    number, by = page_asked(request), _order(request)
    wish = GrantWish(
        *(asked(request, name) for name in ("consumer", "provider", "resource", "state", "words"))
    )
    with parts_of(request).database.reading() as connection:
        found = grants(connection, seen, wish, by, (number - 1) * PAGE, PAGE + 1)
        round_ = rounds(connection).get(Kind.GRANT)
    rows = [line for line in found[:PAGE] if may_look(principal, Action.GRANT_LOOK, whose(line))]
    return page(
        request,
        "grants/list.html",
        rows=rows,
        stopped=stops_of(request, [line.document for line in rows]),
        following=number + 1 if len(found) > PAGE else None,
        round=round_,
        filtered=wish != GrantWish(),
        states=STATES,
    )


@router.get("/grants/{name}")
def grant_page(request: Request, name: str) -> Response:
    """One grant with its partitions, its case and what may be done with it.

    Of a grant that concerns others nobody learns that it is there.
    """
    parts, principal = parts_of(request), principal_of(request)
    with parts.database.reading() as connection:
        line = grant(connection, name)
        round_ = rounds(connection).get(Kind.GRANT)
    if line is None:
        raise AnswerProblem(Code.NOT_FOUND)
    require_sight(parts, principal, Action.GRANT_LOOK, whose(line))
    permit(parts, principal, Action.GRANT_LOOK, whose(line))
    stopped = stops_of(request, [line.document]).values()
    return page(request, "grants/grant.html", line=line, whose=whose(line), round=round_, stopped=stopped)


def whose(line: GrantLine) -> Whose:
    """The departments of a grant."""
    return Whose(line.provider, line.consumer)


def _order(request: Request) -> By:
    """By name, or by what is worst; the sign that a heading puts before it says nothing here."""
    try:
        return By(request.query_params.get("sort", By.NAME).removeprefix("-"))
    except ValueError:
        return By.NAME
