"""One's own account: what one may do, the password, API tokens, sessions."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem, problem_of
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import own, signing_in
from services.control.accounts import tokens
from services.control.accounts.actions import Action, Area, Kind
from services.control.accounts.decision import SCOPES, Whose, permitted
from services.control.accounts.tokens import Standing
from services.control.store.accounts.acts import CorrectRequest
from services.portal.forms import Form, go, text, texts
from services.portal.rendering import page, problems_in
from services.portal.times import day_from
from topics.quality.values import CIVIL_TIME

router = APIRouter(include_in_schema=False)
_OFFERED_DAYS: Final = 90


@router.get("/account")
def account_page(request: Request) -> Response:
    """Show one's own account."""
    return _show(request)


@router.post("/account/password")
def change_password(request: Request, form: Form) -> Response:
    """Replace one's own password; all other sessions end."""
    if form.get("new_password") != form.get("again_password"):
        return _show(request, 422, differ=True)
    try:
        signing_in.change_password(request, _typed(form, "old_password"), _typed(form, "new_password"))
    except AnswerProblem as error:
        return _show(
            request, error.code.status, password_error=error, password_problems=problems_in(request, error)
        )
    return go("/account?done=password")


@router.post("/account/tokens")
def create_token(request: Request, form: Form) -> Response:
    """Make an API token; its text is on the answer, and nowhere else ever again."""
    parts, principal = parts_of(request), asker_of(request).principal
    until = day_from(text(form, "until"))
    ends = parts.clock() if until is None else datetime.combine(until, time.max, CIVIL_TIME).astimezone(UTC)
    try:
        with parts.database.begin() as connection:
            issued = own.token_created(
                parts, principal, connection, text(form, "name"), texts(form, "scope"), ends
            )
    except CorrectRequest as error:
        return _show(request, 422, token_problems=problems_in(request, problem_of(error)))
    return _show(request, issued=issued.text)


@router.post("/account/tokens/{prefix}/revoke")
def revoke_token(request: Request, prefix: str, form: Form) -> Response:
    """Revoke one of one's own tokens, once it is clear that just this one is meant."""
    parts, principal = parts_of(request), asker_of(request).principal
    meant = next((each for each in own.tokens_of(parts, principal) if each.prefix == prefix), None)
    if meant is not None and text(form, "confirm") != meant.name.strip():
        return _show(request, Code.INVALID.status, unconfirmed=prefix)
    own.token_revoked(parts, principal, prefix)
    return go("/account?done=token")


@router.post("/account/sessions/{number}/end")
def end_session(request: Request, number: int) -> Response:
    """End one of one's own sessions."""
    own.session_ended(parts_of(request), asker_of(request).principal, number)
    return go("/account?done=session")


def _show(request: Request, status: int = 200, **more: Any) -> Response:
    parts, asker = parts_of(request), asker_of(request)
    person, principal, now = asker.person, asker.principal, parts.clock()
    own_actions = Whose(person.department, person.department)
    first = person.must_change_password
    shown: dict[str, Any] = {
        "person": person,
        "first": first,
        "permitted": permitted(principal, Action, own_actions),
        "tokens": [] if first else [(each, _standing(each, now)) for each in own.tokens_of(parts, principal)],
        "sessions": [] if first else own.sessions_of(parts, principal, person),
        "scopes": sorted(SCOPES),
        "until": (now + timedelta(days=_OFFERED_DAYS)).astimezone(CIVIL_TIME).date(),
        "Area": Area,
        "Kind": Kind,
        "issued": None,
        "unconfirmed": None,
        "differ": False,
        "password_error": None,
        "password_problems": (),
        "token_problems": (),
    }
    return page(request, "account.html", status, **(shown | more))


def _standing(token: tokens.Token, now: datetime) -> Standing:
    return tokens.standing(token, now)


def _typed(form: FormData, name: str) -> str:
    """As it was typed: blanks count."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
