"""``/api/v1/departments``, ``/people``, ``/tokens``, ``/sessions``: who is who, and what is one's own."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from services.api.answers.accounts import (
    ChangedAnswer,
    DepartmentAnswer,
    DepartmentForm,
    IssuedAnswer,
    OpenSessionAnswer,
    PersonAnswer,
    TokenAnswer,
    changed_answer,
    person_answer,
    version_of,
)
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of
from services.api.forms import Cursor, DepartmentFilter, Form, IfMatch, Key, Limit, Number, Text, Word
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import asker_of, principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Page
from services.api.uses import accounts, own
from services.control.accounts.actions import Action
from services.control.accounts.people import Person
from services.control.accounts.roles import Role

router = APIRouter(tags=["accounts"])

Id = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class PersonForm(Form):
    """A new local account; roles are given afterwards, by somebody else."""

    login: Word
    name: Word
    department: Word
    email: Text = ""


class PlainChange(Form):
    """What needs no more than a reason."""

    action: Literal["disable", "enable", "reset_password", "unlock", "revoke_sessions"]
    why: Text = ""


class RoleChange(Form):
    """A role is given or taken."""

    action: Literal["give_role", "take_role"]
    role: Role
    why: Text = ""


class OversightChange(Form):
    """Which departments an overseer may look at; ``*`` is all."""

    action: Literal["set_oversight"]
    departments: Annotated[tuple[Word, ...], Field(max_length=500)]
    why: Text = ""


ChangeForm = Annotated[PlainChange | RoleChange | OversightChange, Field(discriminator="action")]


class TokenForm(Form):
    """A new token."""

    name: Word
    scopes: Annotated[tuple[Word, ...], Field(max_length=100)]
    expires_at: AwareDatetime


@router.get("/departments")
def list_departments(request: Request, cursor: Cursor = None, limit: Limit = 200) -> Page[DepartmentAnswer]:
    """List the departments that the reader may look at, with their three named persons; it is recorded."""
    place = place_of(cursor, [str], "departments")
    after = "" if place is None else str(place[0])
    found = accounts.departments_of(parts_of(request), principal_of(request), after, limit + 1)
    more = cursor_at([found[limit - 1].id], "departments") if len(found) > limit else None
    return Page(items=[DepartmentAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.get("/departments/{id_}")
def show_department(request: Request, response: Response, id_: Id) -> DepartmentAnswer:
    """Show a department; it is recorded."""
    found = accounts.department(parts_of(request), principal_of(request), id_)
    response.headers["etag"] = etag_of(version_of(found))
    return DepartmentAnswer.model_validate(found)


@router.put("/departments/{id_}")
def put_department(
    request: Request, response: Response, id_: Id, form: DepartmentForm, if_match: IfMatch = None
) -> DepartmentAnswer:
    """Add a department, or replace what is known of one, on the version that was looked at."""
    wanted = form.department(id_)
    parts, principal = parts_of(request), principal_of(request)
    if accounts.put_department(parts, principal, wanted, if_match, version_of):
        response.status_code = 201
    response.headers["etag"] = etag_of(version_of(wanted))
    return DepartmentAnswer.model_validate(wanted)


@router.get("/people")
def list_people(
    request: Request, department: DepartmentFilter = None, cursor: Cursor = None, limit: Limit = 200
) -> Page[PersonAnswer]:
    """List the accounts that the reader may look at, by login name; it is recorded."""
    place = place_of(cursor, [str], "people", department)
    after = "" if place is None else str(place[0])
    found = accounts.people_of(parts_of(request), principal_of(request), department, after, limit + 1)
    more = cursor_at([found[limit - 1].login], "people", department) if len(found) > limit else None
    return Page(items=[person_answer(each) for each in found[:limit]], next=more)


@router.post("/people", status_code=201, response_model=ChangedAnswer)
def add_person(request: Request, form: PersonForm, key: Key = None) -> Response:
    """Add a local account without roles; its first password is shown this once."""
    parts, principal = parts_of(request), principal_of(request)
    made = Person(parts.new_id(parts.clock()), form.login, form.name, form.department, email=form.email)
    asked = Asked(key, "add-person", (form.model_dump(),))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(accounts.added(parts, principal, connection, made), 201),
    )


@router.get("/people/{person}")
def show_person(request: Request, response: Response, person: UUID) -> PersonAnswer:
    """Show an account; it is recorded."""
    found = accounts.person(parts_of(request), principal_of(request), person)
    response.headers["etag"] = etag_of(found.rights)
    return person_answer(found)


@router.post("/people/{person}/actions", response_model=ChangedAnswer)
def change_person(
    request: Request, person: UUID, form: ChangeForm, key: Key = None, if_match: IfMatch = None
) -> Response:
    """Change an account, on the version that was looked at."""
    parts, principal = parts_of(request), principal_of(request)
    asked = Asked(key, "change-person", (str(person), form.model_dump(mode="json"), if_match))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(
            accounts.changed(parts, principal, connection, person, _change(form), if_match)
        ),
    )


@router.delete("/people/{person}/tokens/{prefix}", status_code=204)
def revoke_token(request: Request, person: UUID, prefix: str, why: Text = "") -> None:
    """Revoke a token of somebody."""
    accounts.token_revoked(parts_of(request), principal_of(request), person, prefix, why)


@router.get("/tokens")
def list_own_tokens(request: Request) -> Page[TokenAnswer]:
    """List one's own tokens, never their text."""
    found = own.tokens_of(parts_of(request), principal_of(request))
    items = [
        TokenAnswer(
            prefix=each.prefix,
            name=each.name,
            scopes=sorted(each.scopes),
            created_at=each.created_at,
            expires_at=each.expires_at,
            used_at=each.used_at,
            revoked_at=each.revoked_at,
        )
        for each in found
    ]
    return Page(items=items)


@router.post("/tokens", status_code=201, response_model=IssuedAnswer)
def create_own_token(request: Request, form: TokenForm, key: Key = None) -> Response:
    """Make a token of one's own; its text is shown this once."""
    parts, principal = parts_of(request), principal_of(request)
    asked = Asked(key, "create-token", (form.model_dump(mode="json"),))
    ends: datetime = form.expires_at

    def work(connection: Connection) -> Made:
        made = own.token_created(parts, principal, connection, form.name, form.scopes, ends)
        return Made(IssuedAnswer(prefix=made.prefix, expires_at=ends), 201, once={"token": made.text})

    return once(parts, principal, asked, work)


@router.delete("/tokens/{prefix}", status_code=204)
def revoke_own_token(request: Request, prefix: str) -> None:
    """Revoke a token of one's own."""
    own.token_revoked(parts_of(request), principal_of(request), prefix)


@router.get("/sessions")
def list_own_sessions(request: Request) -> Page[OpenSessionAnswer]:
    """List one's own open sessions."""
    asker = asker_of(request)
    found = own.sessions_of(parts_of(request), asker.principal, asker.person)
    items = [
        OpenSessionAnswer(
            number=each.number,
            method=each.session.method.value,
            began_at=each.session.began_at,
            used_at=each.session.used_at,
        )
        for each in found
    ]
    return Page(items=items)


@router.delete("/sessions/{number}", status_code=204)
def end_own_session(request: Request, number: Number) -> None:
    """End one of one's own sessions."""
    own.session_ended(parts_of(request), principal_of(request), number)


def _change(form: PlainChange | RoleChange | OversightChange) -> accounts.Change:
    action = Action(f"account.{form.action}")
    match form:
        case RoleChange():
            return accounts.Change(action, form.why, role=form.role)
        case OversightChange():
            return accounts.Change(action, form.why, departments=form.departments)
        case PlainChange():
            return accounts.Change(action, form.why)


def _made(changed: accounts.Changed, status: int = 200) -> Made:
    headers = {"etag": etag_of(changed.person.rights)}
    if status == 201:
        headers["location"] = f"/api/v1/people/{changed.person.id}"
    once_ = {} if changed.password is None else {"password": changed.password}
    return Made(changed_answer(changed.person), status, headers, once_)
