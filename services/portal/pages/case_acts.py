"""Acting on a case: approve, refuse, return, negotiate, escalate, suspend, end, complain and the rest."""

from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.cookies import parts_of
from services.control.cases.case import Given
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, Problem, RefusalReason, StopReason
from services.control.desk.orders import Declined, Done
from services.control.docket.filed import Filed
from services.portal.forms import Form, go, text
from services.portal.pages.case_answers import done_or_problem
from services.portal.pages.cases import FORMS, NAMED, ON_OTHER_PAGES, show
from services.portal.rendering import saying, speak
from services.portal.uses.acting import SYSTEM_ONLY, act, look
from services.portal.uses.applying import approval_of
from topics.resource import Resource

router = APIRouter(include_in_schema=False)
Word = TypeVar("Word", RefusalReason, StopReason, Step)


@router.post("/cases/{case}/actions/{action}")
def take_action(request: Request, case: UUID, action: Action, form: Form) -> Response:
    """Take an action; what stands against it is said beside its form, and nothing has changed."""
    if action in SYSTEM_ONLY or (action in ON_OTHER_PAGES and action is not Action.SUBMIT):
        raise AnswerProblem(Code.NOT_FOUND)
    parts = parts_of(request)
    with parts.database.begin() as connection:
        filed = look(request, connection, case)
        mounted = parts.desk.entries.mounted(connection, filed.case.application.resource)
        governed = None if mounted is None else mounted.governed
        given, problems = _given(request, form, action, filed, governed)
        answer = None if problems else act(request, connection, form, filed, action, given)
    if answer is None:
        return show(request, case, tuple(problems), action, 422)
    if isinstance(answer, Declined):
        return show(request, case, answer.problems, action, 422)
    done = done_or_problem(answer)
    said = "repeated" if isinstance(answer, Done) and answer.repeated else action.value
    return go(f"/cases/{done.case.opening.id}?done={said}")


def _given(
    request: Request, form: FormData, action: Action, filed: Filed, resource: Resource | None
) -> tuple[Given, list[Problem]]:
    """What comes with an action, and what of its form cannot be used."""
    problems = []
    if action in NAMED and text(form, "confirm") != str(filed.number):
        what = speak(request, "that is not the number of the case")
        problems.append(Problem("NOT_CONFIRMED", "confirm", what, speak(request, "type it to confirm")))
    approval = None
    if FORMS.get(action) == "approval" and resource is not None:
        approval, wrong = approval_of(form, filed.case.application, resource, saying(request))
        problems += wrong
    given = Given(
        text=text(form, "text"),
        refusal_reason=_word(RefusalReason, text(form, "refusal_reason")),
        acceptable_if=text(form, "acceptable_if"),
        stop_reason=_word(StopReason, text(form, "stop_reason")),
        approval=approval,
        step=_word(Step, text(form, "step")),
    )
    return given, problems


def _word(kind: type[Word], value: str) -> Word | None:
    """A word of a list; None where none is chosen."""
    try:
        return kind(value)
    except ValueError:
        return None
