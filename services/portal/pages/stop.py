"""The kill switch: what holds now, an order with reason and name typed, its seven steps as they happen."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import asker_of, principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses import cases, grants
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose, permitted
from services.control.cases.case import Given
from services.control.cases.words import Action as CaseAction
from services.control.cases.words import StopReason
from services.control.provisioning.switch_following import DEFAULT_STOP
from services.control.store.cases.granted import Granted
from services.control.store.outbox import Act, append
from services.control.suspension.ids import new_id
from services.control.suspension.suspend import Order
from services.control.suspension.switch import Verb, Work
from services.portal.forms import Form, go, text, texts
from services.portal.operations.asked import seeing
from services.portal.operations.case_following import follow_switch, served_case
from services.portal.operations.doors import POLICY, Operations, operations_of
from services.portal.operations.shown import from_ms, login_of
from services.portal.operations.sight import may_look
from services.portal.operations.sse import HEARTBEAT, Event
from services.portal.operations.stopping import (
    KILLS,
    Meant,
    covered,
    cuts_of,
    is_known,
    meant,
    order_problems,
    standing_of,
    steps_of,
    whose_order,
)
from services.portal.operations.streams import LASTS_S, streamed
from services.portal.rendering import page
from topics.grants.hold import HoldScope
from topics.policy import Policy

router = APIRouter(include_in_schema=False)
_WAIT_S = 5.0


@router.get("/stop")
def stop_page(request: Request) -> Response:
    """What is suspended now, what was interrupted, and where an order begins."""
    principal, _ = seeing(request, Action.GRANT_RECEIPT)
    operations = operations_of(request)
    try:
        policy, down = operations.policy(), False
    except BusUnavailable:
        policy, down = None, True
    holds = [] if policy is None else sorted(policy.holds.values(), key=lambda hold: -hold.since_ms)
    return page(
        request,
        "stop/overview.html",
        holds=[
            (hold, Meant(Verb.RESUME, hold.scope, hold.name), whose_order(policy, hold.scope, hold.name))
            for hold in holds
            if may_look(principal, Action.GRANT_RECEIPT, whose_order(policy, hold.scope, hold.name))
        ],
        unfinished=[work for work in operations.switch.unfinished() if _may_see(principal, work, policy)],
        may_order=bool(permitted(principal, KILLS, own(principal))),
        policy=policy,
        down=down,
        from_ms=from_ms,
    )


@router.get("/stop/order")
def order_page(request: Request) -> Response:
    """The form of one order, with the grants that it is about."""
    given = request.query_params
    wanted = meant(given.get("verb", ""), given.get("scope", ""), given.get("name", ""))
    if wanted is None:
        return go("/stop")
    return _form(request, wanted)


@router.post("/stop/order")
def give_order(request: Request, form: Form) -> Response:
    """Carry an order out in the background, once it is clear that just this is meant, and why."""
    wanted = meant(text(form, "verb"), text(form, "scope"), text(form, "name"))
    if wanted is None:
        raise AnswerProblem(Code.INVALID)
    reason = text(form, "reason")
    wrong = order_problems(wanted, reason, text(form, "confirm"))
    if wrong:
        return _form(request, wanted, wrong, reason)
    stop = text(form, "stop")
    if wanted.resumes_grant:
        case = served_case(parts_of(request), wanted.name)
        if case is not None:
            return go(_resume_case(request, wanted, case, reason))
    work = _begin(request, wanted, reason, stop, texts(form, "shrink"))
    return go(f"/stop/{work.id}")


@router.get("/stop/{id_}")
def work_page(request: Request, id_: str) -> Response:
    """One order: its steps, and the receipt once there is one; a withdrawal, as the ledger keeps it."""
    if operations_of(request).switch.find(id_) is None:
        return _proof(request, id_)
    work = _work(request, id_)
    return page(request, "stop/work.html", **_shown(request, work))


@router.get("/stop/{id_}/live")
def live(request: Request, id_: str) -> StreamingResponse:
    """The same as it happens; an event's id counts what has happened."""
    work = _work(request, id_)
    last = request.headers.get("last-event-id", "")
    seen = int(last) if last.isascii() and last.isdigit() and len(last) < 9 else -1
    return streamed(_progress(request, operations_of(request), work.id, seen))


async def _progress(request: Request, operations: Operations, id_: str, seen: int) -> AsyncIterator[bytes]:
    ends = monotonic() + LASTS_S
    while monotonic() < ends:
        work = await run_in_threadpool(operations.switch.wait, id_, seen, _WAIT_S)
        if work is None:
            return
        if work.changes <= seen and not work.is_over:
            yield HEARTBEAT
            continue
        if work.changes > seen:
            seen = work.changes
            fragment = await run_in_threadpool(_fragment, request, work)
            yield Event(str(seen), "progress", fragment).encoded()
        if work.is_over:
            yield Event(str(seen), "over", work.progress.value).encoded()
            return


def _fragment(request: Request, work: Work) -> str:
    body = page(request, "stop/progress.html", **_shown(request, work)).body
    return bytes(body).decode()


def _shown(request: Request, work: Work) -> dict[str, Any]:
    again = Meant(work.verb, work.order.scope, work.order.name)
    if work.is_over:
        operations_of(request).policies.forget(POLICY)
    whose = whose_order(operations_of(request).policy_if_known(), again.scope, again.name)
    of_grant = again.scope is HoldScope.GRANT
    return {
        "case": served_case(parts_of(request), again.name) if of_grant else None,
        "work": work,
        "steps": steps_of(work) if work.verb is Verb.SUSPEND else (),
        "cuts": cuts_of(work.document) if work.verb is Verb.SUSPEND else (),
        "again": again,
        "may_carry_on": may_look(principal_of(request), again.action, whose),
        "by": login_of(request, work.order.by),
        "from_ms": from_ms,
    }


def _proof(request: Request, id_: str) -> Response:
    """What the ledger alone knows: a withdrawal for good, or an order whose journal is lost."""
    found = grants.receipt(parts_of(request), principal_of(request), id_)
    by = login_of(request, found["by"])
    return page(request, "stop/proof.html", found=found, cuts=cuts_of(found), by=by, from_ms=from_ms)


def _form(request: Request, wanted: Meant, wrong: tuple[str, ...] = (), reason: str = "") -> Response:
    policy = operations_of(request).policy()
    require(request, wanted.action, whose_order(policy, wanted.scope, wanted.name))
    known = policy is not None and is_known(policy, wanted)
    return page(
        request,
        "stop/order.html",
        422 if wrong or not known else 200,
        wanted=wanted,
        known=known,
        covered=[] if policy is None else covered(policy, wanted),
        wrong=wrong,
        reason=reason,
        case=served_case(parts_of(request), wanted.name) if wanted.scope is HoldScope.GRANT else None,
        stops=list(StopReason),
        stop=DEFAULT_STOP,
    )


def _resume_case(request: Request, wanted: Meant, case: Granted, reason: str) -> str:
    """Only the case lifts what holds its grant, or both would say something else; where its page is."""
    operations, parts = operations_of(request), parts_of(request)
    principal = require(request, wanted.action, Whose(case.provider, case.consumer))
    follow_switch(parts, operations.switch.machine.suspensions, wanted.name)
    asked = cases.Wanted(CaseAction.RESUME, Given(text=reason), None, None)
    acted = cases.acted(parts, principal, str(case.number), asked)
    return f"/cases/{acted.filed.case.opening.id}?done=resume"


def _begin(request: Request, wanted: Meant, reason: str, stop: str, shrinks: tuple[str, ...]) -> Work:
    """Owe the act to the ledger first: an order that nobody answers for is not carried out."""
    operations, parts = operations_of(request), parts_of(request)
    policy = operations.policy()
    whose = whose_order(policy, wanted.scope, wanted.name)
    principal = require(request, wanted.action, whose)
    if policy is None or not is_known(policy, wanted):
        raise AnswerProblem(Code.NOT_FOUND)
    now = parts.clock()
    prefix = "s" if wanted.verb is Verb.SUSPEND else "r"
    id_ = new_id(prefix, int(now.timestamp() * 1000), parts.random(3))
    standing = standing_of(principal, wanted, whose, stop)
    order = Order(wanted.scope, wanted.name, principal.person, reason, standing)
    facts = {"verb": wanted.verb.value, "work": id_, "department": principal.department}
    act = Act(principal.person, wanted.action.value, wanted.scope.value, wanted.typed, now, reason, facts)
    with parts.database.begin() as connection:
        append(connection, act)
    if wanted.verb is Verb.SUSPEND:
        return operations.switch.suspend(order, id_)
    return operations.switch.resume(order, id_, shrinks)


def _work(request: Request, id_: str) -> Work:
    """The order of that id, if its reader may see it."""
    operations = operations_of(request)
    principal = principal_of(request)
    work = operations.switch.find(id_)
    if work is None:
        require(request, Action.GRANT_RECEIPT, Whose(principal.department, principal.department))
        raise AnswerProblem(Code.NOT_FOUND)
    if work.order.by != asker_of(request).name:
        policy = operations.policy_if_known()
        require(request, Action.GRANT_RECEIPT, whose_order(policy, work.order.scope, work.order.name))
    return work


def _may_see(principal: Principal, work: Work, policy: Policy | None) -> bool:
    whose = whose_order(policy, work.order.scope, work.order.name)
    return work.order.by == principal.person or may_look(principal, Action.GRANT_RECEIPT, whose)
