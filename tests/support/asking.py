"""How each action of a life cycle is asked for over HTTP, on the objects of a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from httpx2 import Response

from services.control.cases.words import Action as CaseAction
from services.control.demand.words import Action as NeedAction
from services.control.objections.words import Action as ObjectionAction
from services.control.tickets.words import Action as TicketAction
from tests.support.sharing_cases import PART
from tests.support.web import Browser, application

SEEN: Final = {"if-match": "*"}


@dataclass(frozen=True)
class Objects:
    """Real objects of the provider's and the consumer's."""

    case: int
    ticket: int
    need: int
    objection: int
    entry: str
    draft: str
    victim: UUID


Ask = Callable[[Browser, Objects, str], Response]
"""Asks for an action on the objects; the text is the department of who asks."""


def on_case(action: CaseAction) -> Ask:
    """An action on the case."""
    text = {"text": "说明"}
    reason = {"reason": "LAW_FORBIDS", "acceptable_if": "无"}
    approval = {
        "items": list(PART.items),
        "start": PART.start.isoformat(),
        "end": PART.end.isoformat(),
        "rows": [{"item": row.item, "values": list(row.values)} for row in PART.rows],
    }
    more: Mapping[CaseAction, Mapping[str, Any]] = {
        CaseAction.EDIT: {"application": application()},
        CaseAction.SUPPLEMENT: {"application": application()},
        CaseAction.REFUSE: text | reason,
        CaseAction.DISMISS: text | reason,
        CaseAction.SUSPEND: text | {"reason": "RISK"},
        CaseAction.TERMINATE: text | {"reason": "RISK"},
        CaseAction.APPROVE_IN_PART: text | {"approval": approval},
        CaseAction.UPHOLD: text | {"approval": approval},
        CaseAction.RETRY_STEP: {"step": "topic"},
        CaseAction.EXTEND: text | {"days": 2, "approver": "head_of_department"},
    }
    form = {"action": action.value, **more.get(action, text)}
    return lambda browser, objects, _: browser.post(f"/cases/{objects.case}/actions", form, headers=SEEN)


def on_ticket(action: TicketAction) -> Ask:
    """An action on the ticket."""
    text = {"text": "说明"}
    reason = {"reason": "RECORD_IS_RIGHT", "acceptable_if": "无"}
    more: Mapping[TicketAction, Mapping[str, Any]] = {
        TicketAction.REFUSE: text | reason,
        TicketAction.DISMISS: text | reason,
        TicketAction.REOPEN: text | {"at": "resource.population.person.v1:0:40"},
    }
    form = {"action": action.value, **more.get(action, text)}
    return lambda browser, objects, _: browser.post(f"/tickets/{objects.ticket}/actions", form, headers=SEEN)


def on_entry(action: str) -> Ask:
    """A step of the draft's life."""
    form = {"action": action, "why": "理由"}
    return lambda browser, objects, _: browser.post(
        f"/catalogue/entries/{objects.draft}/steps", form, headers=SEEN
    )


def on_need(action: NeedAction) -> Ask:
    """An action on the need."""
    more: Mapping[NeedAction, Mapping[str, Any]] = {
        NeedAction.ASSIGN: {"department": "police"},
        NeedAction.DECLINE: {"reason": "LAW_FORBIDS", "text": "说明"},
        NeedAction.POINT: {"code": "3013205/000001"},
    }
    form = {"action": action.value, **more.get(action, {})}
    return lambda browser, objects, _: browser.post(
        f"/demand/needs/{objects.need}/actions", form, headers=SEEN
    )


def on_objection(action: ObjectionAction) -> Ask:
    """An action on the objection."""
    more: Mapping[ObjectionAction, Mapping[str, Any]] = {
        ObjectionAction.DENY: {"basis": "第四十条"},
        ObjectionAction.EXTEND: {"days": 5, "approver": "head_of_department"},
    }
    form = {"action": action.value, "text": "说明", **more.get(action, {})}
    return lambda browser, objects, _: browser.post(
        f"/objections/{objects.objection}/actions", form, headers=SEEN
    )


def on_person(form: Mapping[str, Any]) -> Ask:
    """An action on the victim's account."""
    return lambda browser, objects, _: browser.post(
        f"/people/{objects.victim}/actions", dict(form), headers=SEEN
    )


def on_delivery(verb: str, scope: str, name: str) -> Ask:
    """An order of the kill switch."""
    form = {"verb": verb, "scope": scope, "name": name, "reason": "理由"}
    return lambda browser, *_: browser.post("/stops", form)
