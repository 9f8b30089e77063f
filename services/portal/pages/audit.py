"""The audit log: who did what to which object, when and why; by person, object and time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action, Area
from services.control.accounts.decision import Principal, Whose
from services.control.store.acts import ActWish, acts, person_of
from services.control.store.outbox import Act, append, is_id
from services.portal.lists import page_number
from services.portal.operations.asked import PAGE, asked
from services.portal.rendering import page
from services.portal.times import day_from
from topics.quality.values import CIVIL_TIME

router = APIRouter(include_in_schema=False)
_ACCOUNT: Final = "account"


@router.get("/audit")
def audit_page(request: Request) -> Response:
    """Acts that the reader may see, the newest first."""
    principal = require(request, Action.AUDIT_LOOK, own(principal_of(request)))
    before = page_number(request.query_params.get("after", ""))
    with parts_of(request).database.reading() as connection:
        who = asked(request, "who")
        wish = ActWish(
            area=_area(request),
            what=asked(request, "what"),
            kind=asked(request, "kind"),
            object=asked(request, "object"),
            who=None if who is None else person_of(connection, who),
            since=_begin(day_from(request.query_params.get("since", ""))),
            until=_end(day_from(request.query_params.get("until", ""))),
            departments=_only(principal),
        )
        found = acts(connection, wish, before, PAGE + 1)
    if wish.who is not None or wish.kind == _ACCOUNT:
        _note(request, principal, wish.who or wish.object or _ACCOUNT)
    return page(
        request,
        "audit/list.html",
        rows=found[:PAGE],
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        areas=tuple(Area),
        filtered=any(asked(request, name) for name in ("area", "what", "kind", "object", "who", "since")),
        departments=wish.departments,
    )


def _note(request: Request, principal: Principal, of: str) -> None:
    """Who looks at what a person did is recorded himself."""
    if is_id(of):
        act = Act(principal.person, Action.AUDIT_LOOK.value, "audit", of, parts_of(request).clock())
        with parts_of(request).database.begin() as connection:
            append(connection, act)


def _only(principal: Principal) -> frozenset[str] | None:
    """The departments whose acts alone are seen; None for who sees all."""
    if sees(principal, Action.AUDIT_LOOK, Whose()):
        return None
    return frozenset({principal.department}) | principal.oversees


def _area(request: Request) -> str | None:
    try:
        return Area(request.query_params.get("area", "")).value
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """The first moment of a day of official time; None for the first day of all, before which is nothing."""
    if day is None or day == date.min:
        return None
    return datetime.combine(day, time(), CIVIL_TIME).astimezone(UTC)


def _end(day: date | None) -> datetime | None:
    """The first moment after a day of official time; None for the last day of all, after which is nothing."""
    return None if day is None or day == date.max else _begin(day + timedelta(days=1))
