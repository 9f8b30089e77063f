"""Applying for data, step by step; each step is kept as a draft, so that nothing typed is lost."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Whose
from services.control.cases.application import Application, application_problems
from services.control.cases.case import Given
from services.control.cases.words import Action, DeliveryMode, Problem, State
from services.control.clocks.calendar import civil_day
from services.control.desk.orders import Declined, Done, NotOpened
from services.control.docket.filed import Filed
from services.control.docket.mounted import Mounted
from services.portal.forms import Form, go, text
from services.portal.pages.case_answers import done_or_problem
from services.portal.rendering import page, saying
from services.portal.uses.acting import act, look, new_key, order_of
from services.portal.uses.applying import STEPS, blank, filled
from topics.event import ResourceId

router = APIRouter(include_in_schema=False)


@router.get("/apply")
def begin_page(request: Request) -> Response:
    """The first step for a resource; without one, the way to the catalogue."""
    asker = asker_of(request)
    require(request, of_accounts.Action.CASE_OPEN, Whose(consumer=asker.person.department))
    wanted = request.query_params.get("resource", "")
    if not wanted:
        return page(request, "apply/choose.html")
    with parts_of(request).database.reading() as connection:
        mounted = _mounted(request, connection, wanted)
    today = civil_day(parts_of(request).clock())
    draft = blank(asker.person.department, mounted.resource.id, today)
    return _step(request, "data", draft, mounted)


@router.post("/apply")
def begin(request: Request, form: Form) -> Response:
    """Open the case as a draft with what the first step says."""
    asker, parts = asker_of(request), parts_of(request)
    own = Whose(consumer=asker.person.department)
    require(request, of_accounts.Action.CASE_OPEN, own)
    today = civil_day(parts.clock())
    with parts.database.begin() as connection:
        mounted = _mounted(request, connection, text(form, "resource"))
        draft = filled(form, blank(asker.person.department, mounted.resource.id, today), mounted.governed, saying(request))
        order = order_of(request, form, None, own)
        opened = parts.desk.open(connection, order, parts.new_id(order.now), draft.application)
    if isinstance(opened, Done):
        return go(f"/cases/{opened.filed.case.opening.id}/apply?step={_next(text(form, 'step'))}")
    if isinstance(opened, NotOpened):
        return _step(request, "data", draft.application, mounted, opened.problems, status=422)
    raise AnswerProblem(Code.KEY_REUSED)


@router.get("/cases/{case}/apply")
def step_page(request: Request, case: UUID) -> Response:
    """A step of a draft; all of them on one page where the case was returned."""
    with parts_of(request).database.reading() as connection:
        filed = look(request, connection, case)
        mounted = _mounted(request, connection, filed.case.application.resource)
    if filed.case.state not in (State.DRAFT, State.RETURNED):
        return go(f"/cases/{case}")
    step = request.query_params.get("step", STEPS[0])
    step = step if step in STEPS else STEPS[0]
    require(request, _permission(filed), Whose(filed.case.opening.provider, filed.case.opening.applicant))
    return _step(request, step, filed.case.application, mounted, filed=filed)


@router.post("/cases/{case}/apply")
def save_step(request: Request, case: UUID, form: Form) -> Response:
    """Keep what a step says, and go on; the last one hands the application in."""
    parts = parts_of(request)
    step = text(form, "step") if text(form, "step") in STEPS else STEPS[0]
    with parts.database.begin() as connection:
        filed = look(request, connection, case)
        mounted = _mounted(request, connection, filed.case.application.resource)
        after = filled(form, filed.case.application, mounted.governed, saying(request))
        if after.problems:
            return _step(request, step, after.application, mounted, after.problems, filed, 422)
        returned = filed.case.state is State.RETURNED
        action = Action.SUPPLEMENT if returned else Action.EDIT
        answer = act(request, connection, form, filed, action, Given(application=after.application))
        handing_in = text(form, "then") == "submit" and not returned
        if isinstance(answer, Done) and handing_in:
            answer = _submit(request, connection, form, answer.filed)
            filed = _again(request, connection, case)
    if isinstance(answer, Declined):
        return _step(request, step, after.application, mounted, answer.problems, filed, 422)
    done = done_or_problem(answer)
    leave = returned or handing_in or text(form, "then") == "later"
    return go(f"/cases/{case}" if leave else f"/cases/{done.case.opening.id}/apply?step={_next(step)}")


def _submit(request: Request, connection: Connection, form: FormData, filed: Filed) -> Any:
    """Hand in what was just kept, under a key of its own."""
    order = order_of(request, form, Action.SUBMIT, Whose(filed.case.opening.provider, filed.case.opening.applicant))
    case = UUID(filed.case.opening.id)
    again = type(order)(f"{order.key}:submit", order.actor, order.now, filed.version, order.recorder)
    return parts_of(request).desk.act(connection, again, case, Action.SUBMIT, Given())


def _again(request: Request, connection: Connection, case: UUID) -> Filed:
    return look(request, connection, case)


def _step(
    request: Request,
    step: str,
    application: Application,
    mounted: Mounted,
    problems: tuple[Problem, ...] = (),
    filed: Filed | None = None,
    status: int = 200,
) -> Response:
    governed = mounted.governed
    today = civil_day(parts_of(request).clock())
    rules = None if filed is None else filed.case.opening.rules
    left = () if rules is None else application_problems(application, governed, rules, today)
    returned = filed is not None and filed.case.state is State.RETURNED
    return page(
        request,
        "apply/step.html",
        status,
        step=step,
        steps=STEPS,
        parts=STEPS if returned else (step,),
        returned=returned,
        application=application,
        resource=governed,
        entry=mounted.entry,
        rules=rules,
        filed=filed,
        problems=problems,
        left=left,
        modes=list(DeliveryMode),
        key=new_key(request),
    )


def _mounted(request: Request, connection: Connection, resource: str) -> Mounted:
    """The published entry of a resource.

    Raises:
        AnswerProblem: there is none that could be applied for.
    """
    found = parts_of(request).desk.entries.mounted(connection, ResourceId(resource))
    if found is None:
        what = f"there is no published entry of {resource[:100]}"
        raise AnswerProblem(
            Code.NOT_FOUND, [Problem("RESOURCE_UNKNOWN", "resource", what, "choose an entry of the catalogue")]
        )
    return found


def _permission(filed: Filed) -> of_accounts.Action:
    if filed.case.state is State.RETURNED:
        return of_accounts.Action.CASE_SUPPLEMENT
    return of_accounts.Action.CASE_EDIT


def _next(step: str) -> str:
    """The step after this one; the last one stays."""
    place = STEPS.index(step) if step in STEPS else 0
    return STEPS[min(place + 1, len(STEPS) - 1)]
