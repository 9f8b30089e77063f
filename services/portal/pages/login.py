"""Logging in and out, and what a reader chooses for every page: its appearance."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from services.api.problems import AnswerProblem
from services.api.security.asking import asker_or_none
from services.api.security.cookies import parts_of
from services.api.uses import signing_in
from services.portal.forms import Form, go, own_path, text
from services.portal.rendering import YEAR_S, page
from services.portal.themes import COOKIE, Theme

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request) -> Response:
    """Ask for name and password, or send to the identity provider."""
    back = own_path(request.query_params.get("back", "/"))
    if asker_or_none(request) is not None:
        return go(back)
    return _asked(request, back)


@router.post("/login")
def log_in(request: Request, form: Form) -> Response:
    """Let somebody in; whoever is not is told no more than that."""
    back = own_path(text(form, "back"))
    try:
        person = signing_in.log_in(request, text(form, "login"), _password(form))
    except AnswerProblem as error:
        return _asked(request, back, error, text(form, "login"))
    return go("/account?first=yes" if person.must_change_password else back)


@router.post("/logout")
def log_out(request: Request) -> RedirectResponse:
    """End the session here; where another one at the identity provider goes on, the next page says so."""
    ended = signing_in.log_out(request)
    return go("/login" if ended is signing_in.Ended.WHOLE else f"/login?ended={ended.value}")


@router.get("/logout/provider")
def log_out_at_provider(request: Request) -> RedirectResponse:
    """Go to the identity provider and end the session there, for who is logged out here."""
    address = signing_in.end_at_provider(request)
    return go("/login?ended=alone") if address is None else RedirectResponse(address, 303)


@router.get("/theme/{theme}")
def choose_theme(request: Request, theme: Theme) -> RedirectResponse:
    """Keep how pages look, and go back to where that was chosen."""
    answer = go(own_path(request.query_params.get("back", "/")))
    secure = parts_of(request).settings.https
    answer.set_cookie(COOKIE, theme.value, YEAR_S, samesite="lax", secure=secure, httponly=True)
    return answer


def _asked(request: Request, back: str, error: AnswerProblem | None = None, login: str = "") -> Response:
    status = 200 if error is None else error.code.status
    oidc = parts_of(request).oidc is not None
    ended = request.query_params.get("ended", "") if oidc else ""
    return page(
        request,
        "login.html",
        status,
        back=back,
        code=None if error is None else error.code,
        wait=None if error is None else error.headers.get("retry-after"),
        login=login,
        oidc=oidc,
        ended=ended,
    )


def _password(form: Form) -> str:
    """As it was typed: blanks count."""
    value = form.get("password")
    return value if isinstance(value, str) else ""
