"""Cases: the list with its filters, and the page of one with everything that whoever decides must know."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import cases
from services.api.uses.reach import sees, visible_to
from services.api.uses.task import days_left
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Principal
from services.control.cases.context import Context
from services.control.cases.grading import GradedItem, Grades, graded_items
from services.control.cases.words import Action, Problem, RefusalReason, State, StopReason
from services.control.clocks.calendar import civil_day
from services.control.docket.extending import extendable
from services.control.docket.filed import Filed
from services.control.store import snapshots
from services.control.store.cases.listing import CaseLine, Wish, due, newest
from services.control.store.clocks.calendars import read_calendar
from services.control.store.provisioning.works import works_of
from services.control.store.retirements.reading import GIVING, of_resources
from services.portal.departments import all_of
from services.portal.forms import go
from services.portal.languages import tongue_of
from services.portal.lists import Address, address_of, page_number
from services.portal.operations.case_stops import stops_of
from services.portal.rendering import page
from services.portal.times import day_from
from services.portal.uses.acting import buttons, new_key
from services.portal.uses.applying import MASKS
from services.portal.uses.case_view import clocks_of, grade_rules_of, names_of
from services.portal.uses.policy_view import value_in_words
from topics.grants.hold import HoldScope

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
    Action.EXTEND: "more_time",
}
"""The form that an action needs beyond a text."""
ON_OTHER_PAGES: Final = frozenset({Action.EDIT, Action.SUPPLEMENT})
"""What is done on the pages of the application."""
NAMED: Final = frozenset({Action.TERMINATE, Action.WITHDRAW, Action.DISMISS})
"""What cannot be undone and asks for the number of the case."""
GIVES: Final = frozenset({Action.APPROVE, Action.APPROVE_IN_PART, Action.UPHOLD})
"""What gives something, and says why an item goes out whole where its grade asks for a mask."""
WITHOUT_TEXT: Final = frozenset(
    {Action.SUBMIT, Action.APPROVE, Action.ACCEPT, Action.WITHDRAW, Action.RETRY_STEP}
)
"""Actions whose text may be left out."""
_OF_ACTIONS: Final[Mapping[str, Any]] = {
    "forms": FORMS,
    "elsewhere": ON_OTHER_PAGES,
    "named": NAMED,
    "without_text": WITHOUT_TEXT,
    "gives": GIVES,
    "refusals": list(RefusalReason),
    "stops": list(StopReason),
    "masks": list(MASKS),
}
"""What the page of every case needs to know of the forms of its actions."""


@router.get("/cases")
def cases_page(request: Request) -> Response:
    """Cases that the reader may see, the newest or the most urgent first."""
    parts, asker, here = parts_of(request), asker_of(request), address_of(request)
    today = civil_day(parts.clock())
    seen = visible_to(parts, asker.principal, of_accounts.Action.CASE_LOOK)
    wish = replace(_wish(here, today), visible_to=seen)
    urgent = here.get("sort") == "due"
    with parts.database.reading() as connection:
        calendar = read_calendar(connection)
        if urgent:
            found = due(connection, wish, after=_due_place(here.get("before")), limit=_PER_PAGE + 1)
        else:
            found = newest(connection, wish, page_number(here.get("before")), _PER_PAGE + 1)
    lines = found[:_PER_PAGE]

    def left(line: CaseLine) -> int | None:
        return None if line.due_on is None else days_left(calendar, today, line.due_on)

    return page(
        request,
        "cases/list.html",
        lines=[(line, left(line)) for line in lines],
        following=_place(lines[-1], urgent) if len(found) > _PER_PAGE else None,
        states=list(State),
        departments=sorted(all_of(request).values(), key=lambda each: each.id),
    )


def _place(line: CaseLine, urgent: bool) -> str:
    """Where the page ends: at a number, or at a due day and a number."""
    return f"{line.due_on}.{line.number}" if urgent else str(line.number)


def _due_place(text: str) -> tuple[date, int] | None:
    """The due day and number of an address; None where it says neither."""
    day, _, number = text.partition(".")
    known, last = day_from(day), page_number(number)
    return None if known is None or last is None else (known, last)


@router.get("/cases/{case}")
def case_page(request: Request, case: str) -> Response:
    """One case; a number leads to its page."""
    filed = cases.shown(parts_of(request), asker_of(request).principal, case)
    id_ = filed.case.opening.id
    return show(request, filed) if case == id_ else go(f"/cases/{id_}")


def show(
    request: Request,
    filed: Filed,
    problems: tuple[Problem, ...] = (),
    failed: Action | None = None,
    status: int = 200,
) -> Response:
    """The page of a case; with what stands against the action that was tried, its form open again."""
    parts, principal = parts_of(request), asker_of(request).principal
    resource = filed.case.application.resource
    with parts.database.reading() as connection:
        mounted = parts.desk.entries.mounted(connection, resource)
        clocks = clocks_of(connection, filed, parts.clock())
        names = names_of(connection, filed)
        ending = of_resources(connection, [resource]).get(resource)
        works = works_of(connection, UUID(filed.case.opening.id))
        grant = filed.case.opening.grant
        seen = snapshots.some_of(connection, snapshots.Kind.GRANT, [grant]).documents.get(grant, {})
    governed = None if mounted is None else mounted.governed
    return page(
        request,
        "cases/case.html",
        status,
        filed=filed,
        case=filed.case,
        resource=governed or parts.definitions.resources.get(resource),
        entry=None if mounted is None else mounted.entry,
        ending=ending if filed.case.state in GIVING else None,
        clocks=clocks,
        extendable={each.number for each in extendable(filed)},
        names=names,
        works=works,
        handed_out_at=seen.get("handed_out_at"),
        stopped=[each for each in stops_of(request, [seen]).values() if each.scope is not HoldScope.GRANT],
        context=_context(request, principal, filed),
        actions=buttons(principal, filed),
        **_OF_ACTIONS,
        graded=_graded(filed, {} if mounted is None else mounted.grades),
        grade_rules=grade_rules_of(filed),
        problems=problems,
        failed=failed,
        key=new_key(request),
        in_word=lambda given: value_in_words(given, tongue_of(request).language),
    )


def _graded(filed: Filed, grades: Grades) -> tuple[GradedItem, ...]:
    return graded_items(filed.case.application.items, filed.case.opening.rules, grades)


def _context(request: Request, principal: Principal, filed: Filed) -> Context | None:
    """What an approver must know; None for whoever may not see it, or where the entry is gone."""
    if not sees(principal, of_accounts.Action.CASE_LOOK_CONTEXT, cases.whose(filed)):
        return None
    try:
        return cases.context(parts_of(request), principal, filed.case.opening.id)
    except AnswerProblem:
        return None


def _wish(here: Address, today: date) -> Wish:
    try:
        state = State(here.get("state")) if here.get("state") else None
    except ValueError:
        state = None
    return Wish(
        state=state,
        consumer=here.get("consumer") or None,
        provider=here.get("provider") or None,
        resource=here.get("resource") or None,
        overdue_on=today if here.get("overdue") == "yes" else None,
    )
