"""``/api/v1/stops``: the kill switch; an order is taken at once, carried out by itself, read meanwhile."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from services.api.codes import Code
from services.api.forms import Form, Key, Word
from services.api.problems import AnswerProblem
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.running import BusUnavailable
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document
from services.api.uses import stopping
from services.api.uses.case_following import served_case
from services.api.uses.stopping import Wanted, cuts_of, meant, steps_of
from services.control.cases.words import StopReason
from services.control.suspension.receipt import Step
from services.control.suspension.switch import Progress, Trouble, Verb, Work
from topics.grants.hold import LONGEST_REASON, HoldScope
from topics.policy import Policy

router = APIRouter(prefix="/stops", tags=["kill switch"])

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)]


class OrderForm(Form):
    """An order: to suspend or to resume one grant, one consumer, one resource, or all; and why.

    `name` is empty where the scope is `all`. `confirmed` are grants that wait since their epoch would remove
    much of what the department holds, and for which that is right. `stop` stands on the case of a
    grant that is suspended.
    """

    verb: Literal["suspend", "resume"]
    scope: HoldScope
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    reason: Reason
    stop: StopReason | None = None
    confirmed: Annotated[tuple[Word, ...], Field(max_length=1000)] = ()


class TakenAnswer(Answer):
    """An order that was taken: `/api/v1/stops/{id}` says how far it is."""

    id: str
    verb: Verb
    scope: HoldScope
    name: str


class StepAnswer(Answer):
    """One of the seven steps, null where it is not done yet; milliseconds since 1970 or the order."""

    step: Step
    done_ms: int | None
    after_ms: int | None


class CutAnswer(Answer):
    """From this offset on, nobody can read a record of the grant's topic."""

    grant: str
    partition: int
    offset: int


class StopAnswer(TakenAnswer):
    """An order as far as it has come; `id` is the one under which it runs, also where it joined another.

    `document` is the receipt, or what a resumption counted, as the journal has it; null before any step.
    """

    progress: Progress
    by: str
    reason: str
    trouble: Trouble | None
    detail: str
    steps: list[StepAnswer]
    cuts: list[CutAnswer]
    document: Document | None


class HoldAnswer(Answer):
    """A suspension in force."""

    id: str
    scope: HoldScope
    name: str
    reason: str
    since_ms: int
    since_version: int


class StopsAnswer(Answer):
    """What holds now, the newest first, and orders that were interrupted: the same order carries them on."""

    policy_version: int | None
    holds: list[HoldAnswer]
    unfinished: list[StopAnswer]


@router.get("")
def list_stops(request: Request) -> StopsAnswer:
    """List the suspensions in force and the orders that nobody carries on; asks the bus."""
    parts = parts_of(request)
    principal, policy = principal_of(request), parts.bus.policy()
    found = stopping.overview(parts, principal, policy)
    return StopsAnswer(
        policy_version=None if policy is None else policy.version,
        holds=[HoldAnswer.model_validate(hold) for hold, _ in found.holds],
        unfinished=[_stop(work) for work in found.unfinished],
    )


@router.post("", status_code=202, response_model=TakenAnswer)
def give_order(request: Request, form: OrderForm, key: Key = None) -> Response:
    """Suspend or resume delivery; the answer comes before it is done, and nothing that follows stops it."""
    what = meant(form.verb, form.scope, form.name)
    if what is None:
        raise AnswerProblem(Code.INVALID, detail="`name` is given, or the scope is `all`")
    parts, principal = parts_of(request), principal_of(request)
    policy = parts.bus.policy()
    stopping.require_order(parts, principal, policy, what)
    case = served_case(parts, what.name) if what.resumes_grant else None
    if case is not None:
        where = f"POST /api/v1/cases/{case.number}/actions with the action resume"
        raise AnswerProblem(
            Code.WRONG_STATE, detail=f"case {case.number} lifts what holds its grant: {where}"
        )
    wanted = Wanted(what, form.reason, form.confirmed, form.stop)

    def owed(connection: Connection) -> Made:
        id_ = stopping.owed(parts, principal, connection, policy, wanted)
        body = TakenAnswer(id=id_, verb=what.verb, scope=what.scope, name=what.name)
        return Made(body, 202, {"location": f"/api/v1/stops/{id_}"})

    answer = once(parts, principal, Asked(key, "stop", (form.model_dump(mode="json"),)), owed)
    # Also where the same request was answered a moment before: whoever took it then may have ended before it
    # began. Later nobody waits for it any more, and what holds by then was ordered by others.
    id_ = str(json.loads(bytes(answer.body))["id"])
    if stopping.may_still_begin(parts, id_):
        stopping.begin(parts, principal, policy, wanted, id_)
    return answer


@router.get("/{id_}")
def show_stop(request: Request, id_: str) -> StopAnswer:
    """Show how far an order is: its steps, and where each topic was cut."""
    parts = parts_of(request)
    return _stop(stopping.found(parts, principal_of(request), _policy_if_known(request), id_))


def _policy_if_known(request: Request) -> Policy | None:
    """Without it only who sees everything, or gave the order, sees how far it is."""
    try:
        return parts_of(request).bus.policy()
    except BusUnavailable:
        return None


def _stop(work: Work) -> StopAnswer:
    return StopAnswer(
        id=work.id,
        verb=work.verb,
        scope=work.order.scope,
        name=work.order.name,
        progress=work.progress,
        by=work.order.by,
        reason=work.order.reason,
        trouble=work.trouble,
        detail=work.detail,
        steps=[
            StepAnswer(step=one.step, done_ms=one.done_ms, after_ms=one.after_ms) for one in steps_of(work)
        ],
        cuts=[CutAnswer(grant=grant, partition=int(at), offset=to) for grant, at, to in cuts_of(work)],
        document=None if work.document is None else dict(work.document),
    )
