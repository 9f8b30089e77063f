"""Acting on a case: approve, refuse, return, negotiate, escalate, suspend, end, complain and the rest."""

from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import cases
from services.control.cases.case import Given
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, Problem, RefusalReason, StopReason
from services.control.docket.extending import extendable
from services.control.docket.filed import Filed
from services.portal.forms import Form, go, number, prefixed, text, ticked
from services.portal.pages.cases import FORMS, NAMED, ON_OTHER_PAGES, show
from services.portal.rendering import problems_in, saying
from services.portal.uses.acting import SYSTEM_ONLY, key_of, seen_of
from services.portal.uses.applying import approval_of

router = APIRouter(include_in_schema=False)
Word = TypeVar("Word", RefusalReason, StopReason, Step)


@router.post("/cases/{case}/actions/{action}")
def take_action(request: Request, case: str, action: Action, form: Form) -> Response:
    """Take an action; what stands against it is said beside its form, and nothing has changed."""
    if action in SYSTEM_ONLY or action in ON_OTHER_PAGES:
        raise AnswerProblem(Code.NOT_FOUND)
    parts, principal = parts_of(request), asker_of(request).principal
    filed = cases.shown(parts, principal, case)
    given, problems = _given(request, form, action, filed)
    if problems:
        return show(request, filed, tuple(problems), action, Code.INVALID.status)
    try:
        acted = cases.acted(parts, principal, case, cases.Wanted(action, given, key_of(form), seen_of(form)))
    except AnswerProblem as error:
        if not error.problems:
            raise
        return show(request, filed, problems_in(request, error), action, error.code.status)
    said = "repeated" if acted.repeated else action.value
    return go(f"/cases/{acted.filed.case.opening.id}?done={said}")


def _given(request: Request, form: FormData, action: Action, filed: Filed) -> tuple[Given, list[Problem]]:
    """What comes with an action, and what of its form cannot be used."""
    say, problems = saying(request), []
    if action in NAMED and text(form, "confirm") != str(filed.number):
        what = say("that is not the number of the case")
        problems.append(Problem("NOT_CONFIRMED", "confirm", what, say("type it to confirm")))
    resource = parts_of(request).definitions.resources.get(filed.case.application.resource)
    approval = None
    if FORMS.get(action) == "approval" and resource is not None:
        approval, wrong = approval_of(form, filed.case.application, resource, say)
        problems += wrong
    given = Given(
        text=text(form, "text"),
        refusal_reason=_word(RefusalReason, text(form, "refusal_reason")),
        acceptable_if=text(form, "acceptable_if"),
        stop_reason=_word(StopReason, text(form, "stop_reason")),
        approval=approval,
        step=_word(Step, text(form, "step")),
        more_time=_more_time(form, filed) if action is Action.EXTEND else None,
        whole=tuple((name, why) for name, why in prefixed(form, "whole.") if why),
    )
    return given, problems


def _more_time(form: FormData, filed: Filed) -> MoreTime | None:
    """What was typed; who approves is whom the clock's rule names, and it is ticked that he did."""
    days, chosen = number(text(form, "days")), number(text(form, "clock"))
    found = next((each for each in extendable(filed) if each.number == chosen), None)
    rule = None if found is None else found.run.rule.extension
    if days is None:
        return None
    return MoreTime(days, rule.approver if rule is not None and ticked(form, "approved") else "", chosen)


def _word(kind: type[Word], value: str) -> Word | None:
    """A word of a list; None where none is chosen."""
    try:
        return kind(value)
    except ValueError:
        return None
