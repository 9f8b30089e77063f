"""Cases: the list with its filters, and the page of one with everything that whoever decides must know."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses.reach import visible_to
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Allowed, Principal, may_person
from services.control.cases.words import (
    Action,
    DeliveryMode,
    Problem,
    RefusalReason,
    State,
    StopReason,
)
from services.control.clocks.calendar import civil_day
from services.control.docket.filed import Filed
from services.control.store.cases.listing import Wish, due, newest
from services.control.store.clocks.calendars import read_calendar
from services.portal.departments import all_of
from services.portal.forms import go
from services.portal.lists import Address, address_of, page_number
from services.portal.rendering import page
from services.portal.uses.acting import buttons, look, new_key, number_or_id, whose
from services.portal.uses.applying import MASKS
from services.portal.uses.case_view import clocks_of, context_for, names_of
from services.portal.uses.tasks import days_left
from topics.event import ResourceId

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 50
FORMS: Final = {
    Action.APPROVE_IN_PART: "approval",
    Action.UPHOLD: "approval",
    Action.REFUSE: "refusal",
    Action.DISMISS: "refusal",
    Action.SUSPEND: "stop",
    Action.TERMINATE: "stop",
    Action.RETRY_STEP: "step",
}
"""The form that an action needs beyond a text."""
ON_OTHER_PAGES: Final = frozenset({Action.EDIT, Action.SUPPLEMENT, Action.SUBMIT})
"""What is done on the pages of the application."""
NAMED: Final = frozenset({Action.TERMINATE, Action.WITHDRAW})
"""What cannot be undone and asks for the number of the case."""
WITHOUT_TEXT: Final = frozenset({Action.APPROVE, Action.ACCEPT, Action.WITHDRAW, Action.RETRY_STEP})
"""Actions whose text may be left out."""


@router.get("/cases")
def cases_page(request: Request) -> Response:
    """Cases that the reader may see, the newest or the most urgent first."""
    parts, asker, here = parts_of(request), asker_of(request), address_of(request)
    own = visible_to(parts, asker.principal, of_accounts.Action.CASE_LOOK)
    today = civil_day(parts.clock())
    with parts.database.reading() as connection:
        calendar = read_calendar(connection)
        wish = _wish(here)
        if here.get("sort") == "due":
            lines = due(connection, wish, limit=_PER_PAGE, parties=own)
        else:
            lines = newest(connection, wish, page_number(here.get("before")), _PER_PAGE, parties=own)
    following = lines[-1].number if len(lines) == _PER_PAGE and here.get("sort") != "due" else None
    return page(
        request,
        "cases/list.html",
        lines=[(line, days_left(calendar, today, line.due_on)) for line in lines],
        following=following,
        states=list(State),
        departments=sorted(all_of(request).values(), key=lambda each: each.id),
    )


@router.get("/cases/{case}")
def case_page(request: Request, case: str) -> Response:
    """One case; a number leads to its page."""
    parts = parts_of(request)
    asker_of(request)
    with parts.database.reading() as connection:
        id_ = number_or_id(connection, case)
    if str(id_) != case:
        return go(f"/cases/{id_}")
    return show(request, id_)


def show(
    request: Request,
    case: UUID,
    problems: tuple[Problem, ...] = (),
    failed: Action | None = None,
    status: int = 200,
) -> Response:
    """The page of a case; with what stands against the action that was tried, its form open again."""
    parts, principal = parts_of(request), asker_of(request).principal
    now = parts.clock()
    with parts.database.reading() as connection:
        filed = look(request, connection, case)
        mounted = parts.desk.entries.mounted(connection, filed.case.application.resource)
        governed = None if mounted is None else mounted.governed
        clocks = clocks_of(connection, filed, now)
        names = names_of(connection, filed)
        context = (
            context_for(connection, filed, parts.definitions, governed)
            if _may_see_context(principal, filed)
            else None
        )
    declared = parts.definitions.resources.get(ResourceId(filed.case.application.resource))
    return page(
        request,
        "cases/case.html",
        status,
        filed=filed,
        case=filed.case,
        resource=governed or declared,
        entry=None if mounted is None else mounted.entry,
        clocks=clocks,
        names=names,
        context=context,
        actions=buttons(filed.case, principal),
        forms=FORMS,
        elsewhere=ON_OTHER_PAGES,
        named=NAMED,
        without_text=WITHOUT_TEXT,
        refusals=list(RefusalReason),
        stops=list(StopReason),
        masks=list(MASKS),
        problems=problems,
        failed=failed,
        key=new_key(request),
        Case=Action,
        Mode=DeliveryMode,
        whose=whose(filed.case),
    )


def _may_see_context(principal: Principal, filed: Filed) -> bool:
    action = of_accounts.Action.CASE_LOOK_CONTEXT
    return isinstance(may_person(principal, action, whose(filed.case)), Allowed)


def _wish(here: Address) -> Wish:
    try:
        state = State(here.get("state")) if here.get("state") else None
    except ValueError:
        state = None
    return Wish(
        state=state,
        consumer=here.get("consumer") or None,
        provider=here.get("provider") or None,
        resource=here.get("resource") or None,
    )
