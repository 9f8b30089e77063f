"""``/api/v1/demand``: needs for data, merged into the demand list, assigned and answered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field

from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of
from services.api.forms import Cursor, DepartmentFilter, Form, IfMatch, Key, Limit, Number, Text, Word
from services.api.problems import AnswerProblem
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import demand
from services.control.catalogue.entry import read_code
from services.control.demand.life import MOST_ITEMS
from services.control.demand.need import Given
from services.control.demand.words import Action, DeclineReason, State
from services.control.store.demand.reading import Filed, Wish

router = APIRouter(prefix="/demand", tags=["demand"])


class StatementForm(Form):
    """Data that a department needs."""

    subject: Word
    items: Annotated[tuple[Word, ...], Field(max_length=MOST_ITEMS)] = ()
    scenario: Text
    basis_document: Text
    basis_article: Text = ""
    code: Annotated[str, Field(max_length=60, description="Of an entry that has the data already.")] = ""


class SaidForm(Form):
    """What needs no more than words."""

    action: Literal["hand_back", "draft", "withdraw"]
    text: Text = ""


class AssignedForm(Form):
    """Who is to describe the data, and under which name needs for it are merged."""

    action: Literal["assign"]
    department: Word
    subject: Annotated[str, Field(max_length=200)] = ""
    text: Text = ""


class DeclinedForm(Form):
    """Why a need is not followed."""

    action: Literal["decline"]
    reason: DeclineReason
    text: Text


class PointedForm(Form):
    """The published entry that has the data."""

    action: Literal["point"]
    code: Annotated[str, Field(max_length=60)]
    text: Text = ""


ActionForm = Annotated[SaidForm | AssignedForm | DeclinedForm | PointedForm, Field(discriminator="action")]


class NeedAnswer(Answer):
    """A need as a list shows it."""

    id: UUID
    number: int
    version: int
    department: str
    stated_at: datetime
    moved_at: datetime
    subject: str
    items: tuple[str, ...]
    scenario: str
    basis_document: str
    basis_article: str
    state: State
    assigned_to: str | None
    code: str | None
    entry: UUID | None
    published: bool
    reason: DeclineReason | None
    answer: str


class ItemWantedAnswer(Answer):
    """An item, and who needs it."""

    item: str
    departments: tuple[str, ...]


class DemandedAnswer(Answer):
    """Data that is needed: by whom, why, and item by item."""

    subject: str
    code: str | None
    published: bool
    assigned_to: tuple[str, ...]
    departments: tuple[str, ...]
    needs: tuple[NeedAnswer, ...]
    items: tuple[ItemWantedAnswer, ...]


class NeedEventAnswer(Answer):
    """What happened to a need."""

    number: int
    action: Action
    person: str
    role: str
    department: str
    when: datetime
    text: str
    reason: DeclineReason | None
    assigned_to: str
    code: str | None


class NeedWholeAnswer(Answer):
    """A need with all that happened to it."""

    number: int
    version: int
    department: str
    stated_at: datetime
    subject: str
    items: tuple[str, ...]
    scenario: str
    basis_document: str
    basis_article: str
    state: State
    assigned_to: str | None
    code: str | None
    entry: UUID | None
    events: list[NeedEventAnswer]
    allowed: list[Action] = Field(description="What the reader can ask for now.")


class NeedStepAnswer(Answer):
    """A need after an action."""

    number: int
    version: int
    state: State
    entry: UUID | None


@router.get("")
def list_demand(request: Request) -> Page[DemandedAnswer]:
    """List what departments need, merged for each resource and item, the most wanted first."""
    found = demand.demanded(parts_of(request), principal_of(request))
    return Page(items=[DemandedAnswer.model_validate(each) for each in found])


@router.get("/needs")
def list_needs(
    request: Request,
    state: State | None = None,
    department: DepartmentFilter = None,
    assigned_to: DepartmentFilter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NeedAnswer]:
    """List needs one by one, the newest first."""
    question = ("needs", state, department, assigned_to)
    place = place_of(cursor, [int], *question)
    before = None if place is None else int(place[0])
    wish = Wish(state, department, assigned_to)
    found = demand.needs(parts_of(request), principal_of(request), wish, before, limit + 1)
    more = cursor_at([found[limit - 1].number], *question) if len(found) > limit else None
    return Page(items=[NeedAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.post("/needs", status_code=201, response_model=NeedStepAnswer)
def state_need(request: Request, form: StatementForm, key: Key = None) -> Response:
    """State which data the own department needs, what for, and by which duty."""
    parts, principal = parts_of(request), principal_of(request)
    said = demand.Statement(
        form.subject, form.items, form.scenario, form.basis_document, form.basis_article, form.code
    )
    asked = Asked(key, "state-need", (form.model_dump(mode="json"),))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(demand.stated(parts, principal, connection, said), 201),
    )


@router.get("/needs/{number}")
def show_need(request: Request, response: Response, number: Number) -> NeedWholeAnswer:
    """Show a need with all that happened to it."""
    found = demand.shown(parts_of(request), principal_of(request), number)
    response.headers["etag"] = etag_of(found.filed.version)
    return _whole(found)


@router.post("/needs/{number}/actions", response_model=NeedStepAnswer)
def act_on_need(
    request: Request,
    number: Number,
    form: Annotated[ActionForm, Body()],
    key: Key = None,
    if_match: IfMatch = None,
) -> Response:
    """Take an action on a need, on the version that was looked at; ``draft`` begins an entry for it."""
    parts, principal, action = parts_of(request), principal_of(request), Action(form.action)
    given = _given(form)
    asked = Asked(key, "act-on-need", (number, form.model_dump(mode="json"), if_match))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(demand.acted(parts, principal, connection, number, action, given, if_match)),
    )


def _made(filed: Filed, status: int = 200) -> Made:
    need = filed.need
    headers = {"etag": etag_of(filed.version)}
    if status == 201:
        headers["location"] = f"/api/v1/demand/needs/{filed.number}"
    body = NeedStepAnswer(number=filed.number, version=filed.version, state=need.state, entry=need.entry)
    return Made(body, status, headers)


def _given(form: SaidForm | AssignedForm | DeclinedForm | PointedForm) -> Given:
    match form:
        case AssignedForm():
            return Given(text=form.text, department=form.department, subject=form.subject)
        case DeclinedForm():
            return Given(text=form.text, reason=form.reason)
        case PointedForm():
            code = read_code(form.code)
            if code is None:
                raise AnswerProblem(Code.INVALID, [demand.NO_CODE])
            return Given(text=form.text, code=code)
        case SaidForm():
            return Given(text=form.text)


def _whole(found: demand.Shown) -> NeedWholeAnswer:
    need, opening = found.filed.need, found.filed.need.opening
    return NeedWholeAnswer(
        number=found.filed.number,
        version=found.filed.version,
        department=opening.who.department,
        stated_at=opening.when,
        subject=need.subject,
        items=opening.items,
        scenario=opening.scenario,
        basis_document=opening.basis_document,
        basis_article=opening.basis_article,
        state=need.state,
        assigned_to=need.assigned_to,
        code=None if need.code is None else str(need.code),
        entry=need.entry,
        events=[
            NeedEventAnswer(
                number=each.number,
                action=each.action,
                person=each.who.person,
                role=each.who.role.value,
                department=each.who.department,
                when=each.when,
                text=each.given.text,
                reason=each.given.reason,
                assigned_to=each.given.department,
                code=None if each.given.code is None else str(each.given.code),
            )
            for each in need.events
        ],
        allowed=list(found.actions),
    )
