"""``/api/v1/session``: who is logged in, logging in and out, one's own password, the identity provider."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from services.api.forms import Form, Secret, Word
from services.api.problems import asked_language
from services.api.security.asking import asker_of
from services.api.security.csrf import csrf_token
from services.api.shapes import Answer
from services.api.uses import signing_in
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose, permitted
from services.control.accounts.people import Person
from services.control.accounts.words import said

router = APIRouter(prefix="/session", tags=["session"])


class LoginForm(Form):
    """Name and password."""

    login: Word
    password: Secret


class PasswordForm(Form):
    """The password that counts, and the one that shall."""

    old: Secret
    new: Secret


class RoleAnswer(Answer):
    """A role and its name in the language of the answer."""

    role: str
    title: str


class SessionAnswer(Answer):
    """Who is logged in."""

    person: str
    login: str
    name: str
    department: str
    roles: list[RoleAnswer]
    oversees: list[str]
    must_change_password: bool
    csrf_token: str
    """What changes something needs it in the header ``X-CSRF-Token``, unless a token is shown."""
    scopes: list[str] | None
    """Of the token that was shown; none for a session."""
    permitted: list[str]
    """What this person may do with what is his own department's."""


@router.get("")
def show_session(request: Request) -> SessionAnswer:
    """Say who is logged in."""
    return session_answer(request, asker_of(request).person)


@router.post("")
def log_in(request: Request, form: LoginForm) -> SessionAnswer:
    """Log in by name and password; the answer sets the cookie of the session."""
    person = signing_in.log_in(request, form.login, form.password)
    return session_answer(request, person)


@router.delete("", status_code=204)
def log_out(request: Request) -> None:
    """Log out."""
    signing_in.log_out(request)


@router.post("/password", status_code=204)
def change_password(request: Request, form: PasswordForm) -> None:
    """Replace one's own password; all other sessions end."""
    signing_in.change_password(request, form.old, form.new)


@router.get("/oidc", status_code=303, response_class=RedirectResponse)
def begin_at_provider(
    request: Request, return_to: Annotated[str, Query(max_length=2000)] = "/"
) -> RedirectResponse:
    """Go to the identity provider, and afterwards to a page of ours."""
    return RedirectResponse(signing_in.begin_at_provider(request, return_to), 303)


@router.get("/oidc/return", status_code=303, response_class=RedirectResponse)
def finish_at_provider(
    request: Request,
    state: Annotated[str, Query(max_length=2000)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> RedirectResponse:
    """Come back from the identity provider."""
    return RedirectResponse(signing_in.finish_at_provider(request, state, code), 303)


def return_address(origin: str) -> str:
    """Where the identity provider sends browsers back to."""
    return f"{origin}/api/v1/session/oidc/return"


def session_answer(request: Request, person: Person) -> SessionAnswer:
    """Who is logged in, with what a page needs to know."""
    language = asked_language(request)
    asker = getattr(request.state, "asker", None)
    principal = person.principal() if asker is None else asker.principal
    own = Whose(person.department, person.department)
    return SessionAnswer(
        person=str(person.id),
        login=person.login,
        name=person.name,
        department=person.department,
        roles=[RoleAnswer(role=role.value, title=said(role, language)) for role in sorted(person.roles)],
        oversees=sorted(person.oversees),
        must_change_password=person.must_change_password,
        csrf_token="" if principal.scopes is not None else csrf_token(request),
        scopes=None if principal.scopes is None else sorted(principal.scopes),
        permitted=[each.value for each in permitted(principal, Action, own)],
    )
