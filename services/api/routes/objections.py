"""``/api/v1/objections``: objections to the open directory, answered in time, with reason and basis."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field

from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of
from services.api.forms import Cursor, Form, IfMatch, Key, Limit, Number, Text, Word
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import objections
from services.control.objections.objection import Given
from services.control.objections.words import Action, State
from services.control.store.objections.reading import Filed

router = APIRouter(prefix="/objections", tags=["objections"])


class ObjectionForm(Form):
    """What the own department objects to, or the authority for somebody of the public."""

    entry: UUID
    text: Text
    reference: Annotated[
        str, Field(max_length=200, description="The number of the letter, where the public wrote one.")
    ] = ""


class SaidForm(Form):
    """What needs no more than words."""

    action: Literal["accept", "withdraw"]
    text: Text = ""


class DeniedForm(Form):
    """Why an objection is denied, and by which document and article."""

    action: Literal["deny"]
    text: Text
    basis: Word


class ExtendedForm(Form):
    """How many days more are needed, why, and who has approved them."""

    action: Literal["extend"]
    days: Annotated[int, Field(ge=1, le=100)]
    text: Text
    approver: Annotated[
        str, Field(max_length=60, description="As the policy names him, such as head_of_department.")
    ]


ActionForm = Annotated[SaidForm | DeniedForm | ExtendedForm, Field(discriminator="action")]


class ObjectionAnswer(Answer):
    """An objection as a list shows it."""

    id: UUID
    number: int
    version: int
    entry: UUID
    name: str = Field(description="Of the entry, as it was.")
    provider: str
    department: str
    received_at: datetime
    state: State
    due_on: date | None
    provisional: bool
    days_left: int | None
    document: str | None = Field(description="Which sets the day.")
    article: str | None


class ObjectionEventAnswer(Answer):
    """What happened to an objection."""

    number: int
    action: Action
    role: str
    department: str
    when: datetime
    text: str
    basis: str
    days: int | None
    approver: str


class ObjectionWholeAnswer(ObjectionAnswer):
    """An objection with all that happened to it."""

    text: str
    reference: str
    events: list[ObjectionEventAnswer]
    allowed: list[Action] = Field(description="What the reader can ask for now.")


class ObjectionStepAnswer(Answer):
    """An objection after an action."""

    number: int
    version: int
    state: State


@router.get("")
def list_objections(
    request: Request, state: State | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[ObjectionAnswer]:
    """List objections to the open directory that the reader may look at, the newest first."""
    question = ("objections", state)
    place = place_of(cursor, [int], *question)
    before = None if place is None else int(place[0])
    found = objections.objections(parts_of(request), principal_of(request), state, before, limit + 1)
    more = cursor_at([found[limit - 1].filed.number], *question) if len(found) > limit else None
    return Page(items=[ObjectionAnswer(**_line(each)) for each in found[:limit]], next=more)


@router.post("", status_code=201, response_model=ObjectionStepAnswer)
def object_to_entry(request: Request, form: ObjectionForm, key: Key = None) -> Response:
    """Object to how an entry is opened, or that it is not; its time runs from now on."""
    parts, principal = parts_of(request), principal_of(request)
    said = objections.Said(form.entry, form.text, form.reference)
    asked = Asked(key, "object", (form.model_dump(mode="json"),))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(objections.made(parts, principal, connection, said), 201),
    )


@router.get("/{number}")
def show_objection(request: Request, response: Response, number: Number) -> ObjectionWholeAnswer:
    """Show an objection with all that happened to it."""
    found = objections.shown(parts_of(request), principal_of(request), number)
    response.headers["etag"] = etag_of(found.filed.version)
    opening = found.filed.objection.opening
    return ObjectionWholeAnswer(
        **_line(found),
        text=opening.text,
        reference=opening.reference,
        events=[
            ObjectionEventAnswer(
                number=each.number,
                action=each.action,
                role=each.who.role.value,
                department=each.who.department,
                when=each.when,
                text=each.given.text,
                basis=each.given.basis,
                days=each.given.days,
                approver=each.given.approver,
            )
            for each in found.filed.objection.events
        ],
        allowed=list(found.actions),
    )


@router.post("/{number}/actions", response_model=ObjectionStepAnswer)
def act_on_objection(
    request: Request,
    number: Number,
    form: Annotated[ActionForm, Body()],
    key: Key = None,
    if_match: IfMatch = None,
) -> Response:
    """Answer an objection, extend its time once, or withdraw it, on the version that was looked at."""
    parts, principal, action = parts_of(request), principal_of(request), Action(form.action)
    given = _given(form)
    asked = Asked(key, "act-on-objection", (number, form.model_dump(mode="json"), if_match))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(
            objections.acted(parts, principal, connection, number, action, given, if_match)
        ),
    )


def _given(form: SaidForm | DeniedForm | ExtendedForm) -> Given:
    match form:
        case DeniedForm():
            return Given(text=form.text, basis=form.basis)
        case ExtendedForm():
            return Given(text=form.text, days=form.days, approver=form.approver)
        case SaidForm():
            return Given(text=form.text)


def _made(filed: Filed, status: int = 200) -> Made:
    headers = {"etag": etag_of(filed.version)}
    if status == 201:
        headers["location"] = f"/api/v1/objections/{filed.number}"
    state = filed.objection.state
    return Made(ObjectionStepAnswer(number=filed.number, version=filed.version, state=state), status, headers)


def _line(found: objections.Shown) -> dict[str, Any]:
    filed, opening = found.filed, found.filed.objection.opening
    source = None if filed.clock is None else filed.clock.source
    return {
        "id": opening.id,
        "number": filed.number,
        "version": filed.version,
        "entry": opening.entry,
        "name": opening.name,
        "provider": opening.provider,
        "department": opening.who.department,
        "received_at": opening.when,
        "state": filed.objection.state,
        "due_on": found.due_on,
        "provisional": found.provisional,
        "days_left": found.days_left,
        "document": None if source is None else source.document,
        "article": None if source is None else source.article,
    }
