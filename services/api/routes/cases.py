"""``/api/v1/cases`` and ``/api/v1/tasks``: sharing cases, from the application to the end of delivery."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field

from services.api.answers.cases import (
    ActedAnswer,
    CaseAnswer,
    CaseLineAnswer,
    ContextAnswer,
    acted_answer,
    case_answer,
    context_answer,
)
from services.api.answers.tasks import TaskAnswer
from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of, seen_in
from services.api.forms import Cursor, Filter, Form, IfMatch, Key, Limit, Text, Word
from services.api.problems import AnswerProblem
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Document, Page
from services.api.uses import cases, clocks, tasks
from services.api.uses.lately import lately_of
from services.control.cases.bounds import MOST_NAMES
from services.control.cases.case import Given
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, RefusalReason, State, StopReason
from services.control.clocks.calendar import civil_day
from services.control.docket.forms import ApplicationForm, ApprovalForm
from services.control.store.cases.listing import CaseLine, Wish
from topics.resource import Name

router = APIRouter(tags=["cases"])

Whole = Annotated[
    dict[Name, Text],
    Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="For each item that goes out whole in spite of its grade, why the duty needs it whole.",
    ),
]


class WrittenForm(Form):
    """A new application in place of the one that is there."""

    action: Literal["edit", "supplement"]
    application: ApplicationForm


class PlainForm(Form):
    """What needs no more than to be asked for."""

    action: Literal["submit", "withdraw", "accept"]
    text: Text = ""


class ApprovedForm(Form):
    """What gives all that was applied for."""

    action: Literal["approve"]
    text: Text = ""
    whole: Whole


class SaidForm(Form):
    """What has to be said in words."""

    action: Literal["return", "appeal", "negotiate", "agree", "escalate", "resume", "complain", "reply"]
    text: Text


class GivenForm(Form):
    """What gives something, and names it."""

    action: Literal["approve_in_part", "uphold"]
    approval: ApprovalForm
    text: Text
    whole: Whole


class RefusedForm(Form):
    """What gives nothing: why, and what would make it acceptable."""

    action: Literal["refuse", "dismiss"]
    reason: RefusalReason
    text: Text
    acceptable_if: Text


class StoppedForm(Form):
    """What ends the delivery, for now or for good."""

    action: Literal["suspend", "terminate"]
    reason: StopReason
    text: Text


class ExtendedForm(Form):
    """What gives the duty that runs more time, once."""

    action: Literal["extend"]
    days: int = Field(ge=1, le=366, description="How many more days, of the unit of the clock.")
    approver: Word = Field(description="Who has approved it, as the clock's rule calls him.")
    clock: int | None = Field(None, ge=1, le=1000, description="The number of the clock, where several run.")
    text: Text


class RetriedForm(Form):
    """A step that failed is tried again."""

    action: Literal["retry_step"]
    step: Step


ActionForm = Annotated[
    WrittenForm
    | PlainForm
    | ApprovedForm
    | SaidForm
    | GivenForm
    | RefusedForm
    | StoppedForm
    | ExtendedForm
    | RetriedForm,
    Field(discriminator="action"),
]


@router.get("/cases")
def list_cases(
    request: Request,
    state: State | None = None,
    consumer: Filter = None,
    provider: Filter = None,
    resource: Filter = None,
    overdue: bool = False,
    sort: Literal["newest", "due"] = "newest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CaseLineAnswer]:
    """List the cases that the reader sees, the newest first; by `due` those with a running duty only."""
    parts, principal = parts_of(request), principal_of(request)
    day = civil_day(parts.clock()) if overdue else None
    wish = Wish(state=state, consumer=consumer, provider=provider, resource=resource, overdue_on=day)
    question = ("cases", state, consumer, provider, resource, overdue, *(["due"] if sort == "due" else []))
    if sort == "due":
        at = place_of(cursor, [str, int], *question)
        place = None if at is None else (_day(at[0]), int(at[1]))
        found = cases.due_first(parts, principal, wish, place, limit + 1)
    else:
        at = place_of(cursor, [int], *question)
        found = cases.listed(parts, principal, wish, None if at is None else int(at[0]), limit + 1)
    more = cursor_at(_place(found[limit - 1], sort), *question) if len(found) > limit else None
    return Page(items=[CaseLineAnswer.model_validate(each) for each in found[:limit]], next=more)


def _place(line: CaseLine, sort: str) -> list[int | str | None]:
    return [line.number] if sort != "due" else [str(line.due_on), line.number]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise AnswerProblem(Code.CURSOR) from error


@router.get("/tasks")
def list_tasks(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Page[TaskAnswer]:
    """List what waits for the reader, what is due first at the top, with the working days that are left."""
    at = place_of(cursor, [int], "tasks")
    begin = 0 if at is None else min(max(int(at[0]), 0), tasks.MOST)
    most, lately = begin + limit + 1, lately_of(request)
    found = tasks.of(parts_of(request), principal_of(request), most, lately)[begin:]
    more = cursor_at([begin + limit], "tasks") if len(found) > limit else None
    return Page(items=[TaskAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.post("/cases", status_code=201)
def open_case(request: Request, response: Response, form: ApplicationForm, key: Key = None) -> ActedAnswer:
    """Open a case with an application; it is a draft until it is submitted."""
    done = cases.opened(parts_of(request), principal_of(request), form.application, key)
    response.headers["location"] = f"/api/v1/cases/{done.filed.number}"
    return _told(response, done)


@router.get("/cases/{case}")
def show_case(request: Request, response: Response, case: str) -> CaseAnswer:
    """Show a case, by its number or its id."""
    principal = principal_of(request)
    filed = cases.shown(parts_of(request), principal, case)
    response.headers["etag"] = etag_of(filed.version)
    return case_answer(filed, cases.possible(principal, filed))


@router.get("/cases/{case}/context")
def show_context(request: Request, case: str) -> ContextAnswer:
    """Show what an approver must know: what the applicant holds, and what the combination would reveal."""
    return context_answer(cases.context(parts_of(request), principal_of(request), case))


@router.get("/cases/{case}/clocks")
def explain_clocks(request: Request, case: str) -> Document:
    """Say why each date of a case is what it is: by which rule, from which article, counted from when."""
    return clocks.explained(parts_of(request), principal_of(request), case)


@router.post("/cases/{case}/actions")
def act_on_case(
    request: Request,
    response: Response,
    case: str,
    form: Annotated[ActionForm, Body()],
    key: Key = None,
    if_match: IfMatch = None,
) -> ActedAnswer:
    """Take an action on a case, on the version that was looked at."""
    wanted = cases.Wanted(Action(form.action), _given(form), key, seen_in(if_match))
    return _told(response, cases.acted(parts_of(request), principal_of(request), case, wanted))


def _told(response: Response, done: cases.Acted) -> ActedAnswer:
    response.headers["etag"] = etag_of(done.filed.version)
    return acted_answer(done.filed, done.repeated)


def _given(form: Any) -> Given:
    """What comes with an action, as the rules take it."""
    match form:
        case WrittenForm():
            return Given(application=form.application.application)
        case ApprovedForm():
            return Given(text=form.text, whole=tuple(form.whole.items()))
        case GivenForm():
            whole = tuple(form.whole.items())
            return Given(text=form.text, approval=form.approval.approval, whole=whole)
        case RefusedForm():
            return Given(text=form.text, refusal_reason=form.reason, acceptable_if=form.acceptable_if)
        case StoppedForm():
            return Given(text=form.text, stop_reason=form.reason)
        case ExtendedForm():
            return Given(text=form.text, more_time=MoreTime(form.days, form.approver, form.clock))
        case RetriedForm():
            return Given(step=form.step)
        case _:
            return Given(text=form.text)
