"""Lists of what was not done as it had to be: overdue duties, and refusals to correct a record."""

from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import breaches, tickets
from services.control.clocks.policy_keys import KEYS
from services.control.store.breaches import Kind, Wish
from services.control.store.tickets import refusals
from services.portal.lists import page_number
from services.portal.operations.asked import asked
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)
Member = TypeVar("Member", bound=StrEnum)
_PER_PAGE: Final = 50
_OBLIGED: Final = ("provider", "authority")


@router.get("/breaches")
def breaches_page(request: Request) -> Response:
    """Duties that are overdue, the oldest first."""
    obliged = request.query_params.get("obliged", "")
    wish = Wish(
        kind=_known(Kind, request.query_params.get("kind", "")),
        department=asked(request, "department"),
        obliged=obliged if obliged in _OBLIGED else None,
        done=request.query_params.get("done") == "yes",
    )
    start = page_number(request.query_params.get("after", "")) or 0
    found, total = breaches.listed(parts_of(request), principal_of(request), wish, start, _PER_PAGE)
    return page(
        request,
        "breaches.html",
        rows=found,
        total=total,
        following=start + _PER_PAGE if start + _PER_PAGE < total else None,
        kinds=tuple(Kind),
        filtered=wish != Wish(),
        keys=KEYS,
    )


@router.get("/refusals")
def refusals_page(request: Request) -> Response:
    """Refusals to correct a record, the newest first, with what came of each."""
    outcome = _known(refusals.Outcome, request.query_params.get("outcome", ""))
    wish = refusals.Wish(provider=asked(request, "provider"), outcome=outcome)
    parts, after = parts_of(request), _place(asked(request, "after") or "")
    found = tickets.refused_ones(parts, principal_of(request), wish, _PER_PAGE + 1, after)
    rows = found[:_PER_PAGE]
    last = rows[-1] if len(found) > _PER_PAGE else None
    return page(
        request,
        "tickets/refusals.html",
        rows=rows,
        following=None if last is None else f"{last.refused_at.isoformat()}_{last.number}_{last.event}",
        outcomes=tuple(refusals.Outcome),
        filtered=wish != refusals.Wish(),
    )


def _place(text: str) -> refusals.Place | None:
    """Where a page begins, as the page before said it; None where it says nothing that there is."""
    moment, *numbers = text.split("_")
    known = [page_number(each) for each in numbers]
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if at.tzinfo is None or len(known) != 2 or known[0] is None or known[1] is None:
        return None
    return at, known[0], known[1]


def _known(kind: type[Member], value: str) -> Member | None:
    return kind(value) if value in set(kind) else None
