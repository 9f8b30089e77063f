"""``/api/v1/retirements``: which version of a resource ends when, and by which one it is followed."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field

from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of
from services.api.forms import Cursor, Form, IfMatch, Key, Limit, Text
from services.api.problems import AnswerProblem
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import retirements
from services.control.retirements.plan import Retirement
from services.control.retirements.words import State

router = APIRouter(prefix="/retirements", tags=["catalogue"])
Version = Annotated[str, Field(min_length=1, max_length=130, description="Such as `population.person.v1`.")]


class RetireForm(Form):
    """A version that ends, and the one that follows it."""

    old: Version
    new: Version
    retires_on: Annotated[date, Field(description="The first day without the old version.")]
    parallel_from: Annotated[
        date | None, Field(description="The first day with both; that of the announcement if not given.")
    ] = None
    why: Text


class PostponeForm(Form):
    """A later day."""

    action: Literal["postpone"]
    retires_on: date
    why: Text


class CancelForm(Form):
    """The version stays."""

    action: Literal["cancel"]
    why: Text


ActionForm = Annotated[PostponeForm | CancelForm, Field(discriminator="action")]


class RetirementAnswer(Answer):
    """The retirement of a version."""

    id: UUID
    old: str
    new: str
    provider: str
    state: State
    announced_at: datetime
    parallel_from: date
    retires_on: date
    working_days: int = Field(description="The shortest parallel run that counted when it was announced.")
    why: str = Field(description="Of the last change.")
    version: int


@router.get("")
def list_retirements(
    request: Request, state: State | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[RetirementAnswer]:
    """List retirements, the newest first."""
    question = ("retirements", state)
    place = place_of(cursor, [str], *question)
    after = None if place is None else _id(place[0])
    parts, principal = parts_of(request), principal_of(request)
    found = retirements.all_of(parts, principal, state, after, limit + 1)
    more = cursor_at([str(found[limit - 1].id)], *question) if len(found) > limit else None
    return Page(items=[RetirementAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.post("", status_code=201, response_model=RetirementAnswer)
def retire(request: Request, form: RetireForm, key: Key = None) -> Response:
    """Announce that a version ends: everybody who has it is told, and on the day its cases end."""
    parts, principal = parts_of(request), principal_of(request)
    asked = Asked(key, "retire", (form.model_dump(mode="json"),))
    wanted = retirements.Asked(form.old, form.new, form.retires_on, form.why, form.parallel_from)
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(retirements.planned(parts, principal, connection, wanted), 201),
    )


@router.get("/{retirement}")
def show_retirement(request: Request, response: Response, retirement: UUID) -> RetirementAnswer:
    """Show a retirement."""
    found = retirements.shown(parts_of(request), principal_of(request), retirement)
    response.headers["etag"] = etag_of(found.version)
    return RetirementAnswer.model_validate(found)


@router.post("/{retirement}/actions", response_model=RetirementAnswer)
def change_retirement(
    request: Request,
    retirement: UUID,
    form: Annotated[ActionForm, Body()],
    key: Key = None,
    if_match: IfMatch = None,
) -> Response:
    """Postpone a retirement, or give it up, on the version that was looked at."""
    parts, principal = parts_of(request), principal_of(request)
    asked = Asked(key, "change-retirement", (str(retirement), form.model_dump(mode="json"), if_match))
    if isinstance(form, PostponeForm):
        day, why = form.retires_on, form.why
        return once(
            parts,
            principal,
            asked,
            lambda connection: _made(
                retirements.postponed(parts, principal, connection, retirement, day, why, if_match)
            ),
        )
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(
            retirements.cancelled(parts, principal, connection, retirement, form.why, if_match)
        ),
    )


def _made(found: Retirement, status: int = 200) -> Made:
    headers = {"etag": etag_of(found.version)}
    if status == 201:
        headers["location"] = f"/api/v1/retirements/{found.id}"
    return Made(RetirementAnswer.model_validate(found), status, headers)


def _id(text: str) -> UUID:
    """The id in a cursor.

    Raises:
        AnswerProblem: it is none.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise AnswerProblem(Code.CURSOR) from error
