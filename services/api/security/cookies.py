"""The cookies of a session and of a login that has begun; no script reads them."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import Response

from services.api.parts import Parts

_LOGIN_S: Final = 600
"""So long somebody may take at the identity provider."""
_LONGEST_HINT: Final = 3800
"""Browsers keep cookies of 4096 bytes, name and attributes included."""
_LOGOUT: Final = "/logout"
"""Where the hint is brought along."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie: without ``value`` it is forgotten, without ``lasts_s`` it ends with the browser."""

    name: str
    value: str | None
    lasts_s: int | None = None
    path: str = "/"
    """Requests for addresses below it bring the cookie along, and no others."""


def session_name(parts: Parts) -> str:
    """The name of the session's cookie; with its prefix only https can set it, and for this host only."""
    return "__Host-govbus" if parts.settings.https else "govbus"


def login_name(parts: Parts) -> str:
    """The name of the cookie of a login at the identity provider that has begun."""
    return "__Host-govbus-login" if parts.settings.https else "govbus-login"


def hint_name(parts: Parts) -> str:
    """The name of the cookie that says to the identity provider whose session there shall end."""
    return "__Secure-govbus-hint" if parts.settings.https else "govbus-hint"


def session_of(request: Request) -> str | None:
    """The id of the session that counts after this request: a new one, or the one that came with it."""
    given: Cookie | None = _given(request).get(session_name(parts_of(request)))
    return given.value if given is not None else came_with(request)


def came_with(request: Request) -> str | None:
    """The id of the session that the browser brought."""
    return request.cookies.get(session_name(parts_of(request)))


def set_session(request: Request, id_: str) -> None:
    """Give the browser the id of a session."""
    _give(request, Cookie(session_name(parts_of(request)), id_))


def forget_session(request: Request) -> None:
    """Have the browser forget its session."""
    _give(request, Cookie(session_name(parts_of(request)), None))


def set_login(request: Request, secret: str) -> None:
    """Give the browser the secret of a login that begins."""
    _give(request, Cookie(login_name(parts_of(request)), secret, _LOGIN_S))


def take_login(request: Request) -> str:
    """The secret of the login that this browser began, which it forgets; empty without one."""
    name = login_name(parts_of(request))
    _give(request, Cookie(name, None))
    return request.cookies.get(name, "")


def set_hint(request: Request, id_token: str) -> None:
    """Give the browser what the provider signed, to be shown there at the logout, unless it is too long.

    It proves nothing here: it only tells the provider which of its sessions is meant.
    """
    kept = id_token if 0 < len(id_token) <= _LONGEST_HINT else None
    _give(request, Cookie(hint_name(parts_of(request)), kept, path=_LOGOUT))


def hint_of(request: Request) -> str:
    """What the browser keeps for its logout at the identity provider; empty without it."""
    return request.cookies.get(hint_name(parts_of(request)), "")


def forget_hint(request: Request) -> None:
    """Have the browser forget it."""
    _give(request, Cookie(hint_name(parts_of(request)), None, path=_LOGOUT))


def parts_of(request: Request) -> Parts:
    """The parts of the process."""
    found: Parts = request.app.state.parts
    return found


def header_of(cookie: Cookie, https: bool) -> str:
    """The value of ``Set-Cookie``. Lax: the way back from the identity provider must bring it along."""
    answer = Response()
    age = 0 if cookie.value is None else cookie.lasts_s
    answer.set_cookie(
        cookie.name,
        cookie.value or "",
        max_age=age,
        path=cookie.path,
        secure=https,
        httponly=True,
        samesite="lax",
    )
    return answer.headers["set-cookie"]


def _given(request: Request) -> dict[str, Cookie]:
    """What this request's answer tells the browser; the wrapping of the app writes it."""
    found: dict[str, Cookie] = request.scope.setdefault("govbus.cookies", {})
    return found


def _give(request: Request, cookie: Cookie) -> None:
    _given(request)[cookie.name] = cookie
