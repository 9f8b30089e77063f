"""The kill switch: what holds now, an order with reason and name typed, its seven steps as they happen."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import asker_again, principal_of
from services.api.security.cookies import parts_of
from services.api.uses import grants, stopping
from services.api.uses.case_following import resumed, served_case
from services.api.uses.reach import own, sees
from services.api.uses.stopping import (
    KILLS,
    Meant,
    Wanted,
    covered,
    cuts_in,
    cuts_of,
    is_known,
    meant,
    steps_of,
)
from services.control.accounts.decision import permitted
from services.control.cases.words import StopReason
from services.control.owners import whose_order
from services.control.provisioning.switch_following import DEFAULT_STOP
from services.control.store.cases.granted import Granted
from services.control.suspension.switch import Verb, Work
from services.portal.forms import Form, go, text, texts
from services.portal.operations.doors import POLICY, operations_of
from services.portal.operations.shown import from_ms, login_of
from services.portal.operations.sse import HEARTBEAT, Event
from services.portal.operations.stopping import order_problems
from services.portal.operations.streams import LASTS_S, REFUSED, Watch, streamed
from services.portal.rendering import page
from topics.grants.hold import HoldScope

router = APIRouter(include_in_schema=False)
_WAIT_S = 5.0


@router.get("/stop")
def stop_page(request: Request) -> Response:
    """What is suspended now, what was interrupted, and where an order begins."""
    operations = operations_of(request)
    try:
        policy, down = operations.policy(), False
    except BusUnavailable:
        policy, down = None, True
    principal = principal_of(request)
    found = stopping.overview(parts_of(request), principal, policy)
    return page(
        request,
        "stop/overview.html",
        holds=[(hold, Meant(Verb.RESUME, hold.scope, hold.name), whose) for hold, whose in found.holds],
        unfinished=found.unfinished,
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
    parts, principal = parts_of(request), principal_of(request)
    policy = parts.bus.policy()
    stopping.require_order(parts, principal, policy, wanted)
    case = served_case(parts, wanted.name) if wanted.resumes_grant else None
    if case is not None:
        return go(f"/cases/{resumed(parts, principal, case, reason).case.opening.id}?done=resume")
    whole = Wanted(wanted, reason, texts(form, "shrink"), _stop_reason(text(form, "stop")))
    with parts.database.begin() as connection:
        id_ = stopping.owed(parts, principal, connection, policy, whole)
    return go(f"/stop/{stopping.begin(parts, principal, policy, whole, id_).id}")


@router.get("/stop/{id_}")
def work_page(request: Request, id_: str) -> Response:
    """One order: its steps, and the receipt once there is one; a withdrawal, as the ledger keeps it."""
    if parts_of(request).switch.find(id_) is None:
        return _proof(request, id_)
    work = _work(request, id_)
    return page(request, "stop/work.html", **_shown(request, work))


@router.get("/stop/{id_}/live")
def live(request: Request, id_: str) -> StreamingResponse:
    """The same as it happens; an event's id counts what has happened."""
    work = _work(request, id_)
    last = request.headers.get("last-event-id", "")
    seen = int(last) if last.isascii() and last.isdigit() and len(last) < 9 else -1
    return streamed(_progress(request, parts_of(request), work.id, seen))


async def _progress(request: Request, parts: Parts, id_: str, seen: int) -> AsyncIterator[bytes]:
    ends, watch = monotonic() + LASTS_S, Watch(lambda: (asker_again(request), _work(request, id_)))
    while monotonic() < ends:
        work = await run_in_threadpool(parts.switch.wait, id_, seen, _WAIT_S)
        if work is None:
            return
        if await watch.refuses():
            yield Event("", "over", REFUSED).encoded()
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
    return {
        "case": _case_of(request, again),
        "work": work,
        "steps": steps_of(work),
        "cuts": cuts_of(work),
        "again": again,
        "may_carry_on": sees(principal_of(request), again.action, whose),
        "by": login_of(request, work.order.by),
        "from_ms": from_ms,
    }


def _proof(request: Request, id_: str) -> Response:
    """What the ledger alone knows: a withdrawal for good, or an order whose journal is lost."""
    found = grants.receipt(parts_of(request), principal_of(request), id_)
    by = login_of(request, found["by"])
    return page(request, "stop/proof.html", found=found, cuts=cuts_in(found), by=by, from_ms=from_ms)


def _form(request: Request, wanted: Meant, wrong: tuple[str, ...] = (), reason: str = "") -> Response:
    # Read now: an order is judged by what is in force, and what is kept for pages may be older.
    policy = parts_of(request).bus.policy()
    stopping.require_order(parts_of(request), principal_of(request), policy, wanted)
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
        case=_case_of(request, wanted),
        stops=list(StopReason),
        stop=DEFAULT_STOP,
    )


def _case_of(request: Request, wanted: Meant) -> Granted | None:
    """The case that an order on one grant moves."""
    return served_case(parts_of(request), wanted.name) if wanted.scope is HoldScope.GRANT else None


def _stop_reason(given: str) -> StopReason | None:
    return StopReason(given) if given in set(StopReason) else None


def _work(request: Request, id_: str) -> Work:
    """The order of that id, if its reader may see it."""
    policy = operations_of(request).policy_if_known()
    return stopping.found(parts_of(request), principal_of(request), policy, id_)
