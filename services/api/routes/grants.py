"""``/api/v1/grants`` and ``/receipts``: what is delivered to whom, its contract, how it was stopped."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Limit
from services.api.problems import asked_language
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document, Page
from services.api.uses import grants
from services.api.uses.grants import GrantLine, Place, Standard

router = APIRouter(tags=["grants"])


class GrantAnswer(Answer):
    """A grant: what is declared or was decided, and what was seen of it on the bus, as of when."""

    grant: str
    consumer: str
    provider: str
    resource: str
    case: int | None
    state: str
    ends_on: date | None
    seen: Document | None
    as_of: datetime | None


@router.get("/grants")
def list_grants(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Page[GrantAnswer]:
    """List the grants that the reader sees: those that are declared, then those of cases."""
    place = place_of(cursor, [str, int], "grants")
    begin = None if place is None else Place(place[0], place[1] or None)
    found = grants.listed(parts_of(request), principal_of(request), begin, limit + 1)
    more = None if len(found) <= limit else cursor_at(_place(found[limit - 1]), "grants")
    return Page(items=[GrantAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.get("/grants/{grant}")
def show_grant(request: Request, grant: str) -> GrantAnswer:
    """Show a grant."""
    return GrantAnswer.model_validate(grants.shown(parts_of(request), principal_of(request), grant))


@router.get("/grants/{grant}/contract")
def show_contract(
    request: Request, grant: str, standard: Annotated[Standard, Query(alias="format")]
) -> Document:
    """Write the contract of a grant as AsyncAPI 3.1 or ODCS 3.1; it holds no login and no record."""
    parts, principal = parts_of(request), principal_of(request)
    return grants.contract(parts, principal, grant, standard, asked_language(request))


@router.get("/receipts/{suspension}")
def show_receipt(request: Request, suspension: str) -> Document:
    """Show the receipt of a suspension: where each topic was cut, and who had answered."""
    return grants.receipt(parts_of(request), principal_of(request), suspension)


def _place(line: GrantLine) -> tuple[str, int]:
    """Of a page that ends among the declared ones the id, else the number of the last case."""
    return (line.grant, 0) if line.case is None else ("", line.case)
