"""Entries and topics side by side: what is really there, entries without data, topics without entry."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import mounting
from services.control.catalogue.mounting import Mount
from services.portal.lists import address_of
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 50
_LONGEST: Final = 200


@router.get("/catalogue/mounting")
def mounting_page(request: Request) -> Response:
    """Entries by code, then topics without entry by id; the address says which states and which page."""
    here = address_of(request)
    states = [each for each in Mount if here.has("state", each.value)]
    after = here.get("after")
    after = after if len(after) <= _LONGEST and "\0" not in after else ""
    found = mounting.listed(parts_of(request), principal_of(request), states, after, _PER_PAGE + 1)
    lines = found.lines[:_PER_PAGE]
    return page(
        request,
        "catalogue/mounting.html",
        found=found,
        rows=lines,
        following=lines[-1].name if len(found.lines) > _PER_PAGE else None,
        total=sum(count for each, count in found.counts.items() if not states or each in states),
        chosen=states,
    )
