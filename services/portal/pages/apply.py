"""Applying for data, step by step; each step is kept as a draft, so that nothing typed is lost."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.api.uses import cases
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Whose
from services.control.cases.application import Application, application_problems
from services.control.cases.case import Given
from services.control.cases.words import SERVED, Action, DeliveryMode, Problem, State
from services.control.clocks.calendar import civil_day
from services.control.docket.filed import Filed
from services.control.docket.mounted import Mounted
from services.portal.forms import Form, go, text
from services.portal.rendering import page, problems_in, saying
from services.portal.uses.acting import key_of, new_key, seen_of
from services.portal.uses.applying import STEPS, Filled, blank, filled
from topics.event import ResourceId

router = APIRouter(include_in_schema=False)
_FILLED_IN: Final = {
    State.DRAFT: of_accounts.Action.CASE_EDIT,
    State.RETURNED: of_accounts.Action.CASE_SUPPLEMENT,
}
"""In which states an application is written, and what that needs."""


@router.get("/apply")
def begin_page(request: Request) -> Response:
    """The first step for a resource; without one, the way to the catalogue."""
    asker = asker_of(request)
    require(request, of_accounts.Action.CASE_OPEN, Whose(consumer=asker.person.department))
    wanted = request.query_params.get("resource", "")
    if not wanted:
        return page(request, "apply/choose.html")
    mounted = _mounted(request, wanted)
    today = civil_day(parts_of(request).clock())
    return _step(request, "data", blank(asker.person.department, mounted.resource.id, today), mounted)


@router.post("/apply")
def begin(request: Request, form: Form) -> Response:
    """Open the case as a draft with what the first step says."""
    asker, parts = asker_of(request), parts_of(request)
    require(request, of_accounts.Action.CASE_OPEN, Whose(consumer=asker.person.department))
    mounted = _mounted(request, text(form, "resource"))
    nothing = blank(asker.person.department, mounted.resource.id, civil_day(parts.clock()))
    draft = filled(form, nothing, mounted.governed, saying(request))
    try:
        opened = cases.opened(parts, asker.principal, draft.application, key_of(form))
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _step(
            request, "data", draft.application, mounted, problems_in(request, error), status=error.code.status
        )
    return go(f"/cases/{opened.filed.case.opening.id}/apply?step={_next(text(form, 'step'))}")


@router.get("/cases/{case}/apply")
def step_page(request: Request, case: str) -> Response:
    """A step of a draft; all of them on one page where the case was returned."""
    filed = cases.shown(parts_of(request), asker_of(request).principal, case)
    needed = _FILLED_IN.get(filed.case.state)
    if needed is None:
        return go(f"/cases/{filed.case.opening.id}")
    require(request, needed, cases.whose(filed))
    mounted = _mounted(request, filed.case.application.resource)
    return _step(
        request, _known(request.query_params.get("step", "")), filed.case.application, mounted, (), filed
    )


@router.post("/cases/{case}/apply")
def save_step(request: Request, case: str, form: Form) -> Response:
    """Keep what a step says, and go on; the last one hands the application in."""
    filed = cases.shown(parts_of(request), asker_of(request).principal, case)
    mounted = _mounted(request, filed.case.application.resource)
    after = filled(form, filed.case.application, mounted.governed, saying(request))
    step = _known(text(form, "step"))
    if after.problems:
        return _step(request, step, after.application, mounted, after.problems, filed, 422)
    try:
        kept = _keep(request, form, filed, after)
    except AnswerProblem as error:
        if not error.problems:
            raise
        # What was typed may be kept already: the page shows the case as it is now.
        now = cases.shown(parts_of(request), asker_of(request).principal, case)
        return _step(
            request, step, after.application, mounted, problems_in(request, error), now, error.code.status
        )
    id_ = kept.case.opening.id
    going_on = text(form, "then") == "next" and kept.case.state is State.DRAFT
    return go(f"/cases/{id_}/apply?step={_next(step)}" if going_on else f"/cases/{id_}")


def _keep(request: Request, form: FormData, filed: Filed, after: Filled) -> Filed:
    """Write the application, and hand it in where that is asked for.

    Raises:
        AnswerProblem: rules are against it.
    """
    parts, principal, id_ = parts_of(request), asker_of(request).principal, filed.case.opening.id
    given, key = Given(application=after.application), key_of(form)
    returned = filed.case.state is State.RETURNED
    action = Action.SUPPLEMENT if returned else Action.EDIT
    kept = cases.acted(parts, principal, id_, cases.Wanted(action, given, key, seen_of(form))).filed
    if returned or text(form, "then") != "submit":
        return kept
    handed_in = cases.Wanted(Action.SUBMIT, Given(), None if key is None else f"{key}:submit", kept.version)
    return cases.acted(parts, principal, id_, handed_in).filed


def _step(
    request: Request,
    step: str,
    application: Application,
    mounted: Mounted,
    problems: Sequence[Problem] = (),
    filed: Filed | None = None,
    status: int = 200,
) -> Response:
    """The page of a step."""
    resource, rules = mounted.governed, None if filed is None else filed.case.opening.rules
    today = civil_day(parts_of(request).clock())
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
        resource=resource,
        entry=mounted.entry,
        rules=rules,
        filed=filed,
        problems=problems,
        left=() if rules is None else application_problems(application, resource, rules, today),
        modes=[mode for mode in DeliveryMode if mode in SERVED],
        key=new_key(request),
    )


def _mounted(request: Request, resource: str) -> Mounted:
    """The published entry of a resource.

    Raises:
        AnswerProblem: there is none that could be applied for.
    """
    parts = parts_of(request)
    with parts.database.reading() as connection:
        found = parts.desk.entries.mounted(connection, ResourceId(resource))
    if found is None:
        what, remedy = f"there is no published entry of {resource[:100]}", "choose an entry of the catalogue"
        raise AnswerProblem(Code.NOT_FOUND, [Problem("RESOURCE_UNKNOWN", "resource", what, remedy)])
    return found


def _known(step: str) -> str:
    return step if step in STEPS else STEPS[0]


def _next(step: str) -> str:
    """The step after this one; the last one stays."""
    return STEPS[min(STEPS.index(_known(step)) + 1, len(STEPS) - 1)]
