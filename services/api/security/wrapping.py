"""What stands around every request: its id, security headers, cookies, one line in the log, and defects.

The line names the route and never the address: addresses and queries may name people.
"""

import logging
import secrets
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.parts import Parts
from services.api.problems import answered, problem_of
from services.api.security.cookies import header_of

_log: Final = logging.getLogger("govbus.web")
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""A handler may set another value of its own, such as how long a script is kept."""
_PREFIX: Final = "/api/v1"
_HTTPS_ONLY: Final = "max-age=63072000; includeSubDomains"


class Wrapping:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (see ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status = time.perf_counter(), 0
        id_ = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = id_

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(scope, MutableHeaders(scope=message), id_)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach a reader or the log
            _log.error("request %s: %s at %s", id_, type(error).__name__, where(error))
            if status:
                # The answer has begun: its reader must see that it breaks off.
                raise ConnectionAbortedError(f"request {id_} broke off") from None
            await answered(Request(scope, receive), problem_of(error))(scope, receive, sending)
        finally:
            took = (time.perf_counter() - begun) * 1000
            _log.info("%s %s %s %d in %.0f ms", id_, scope["method"], route_of(scope), status, took)

    def _complete(self, scope: Scope, headers: MutableHeaders, id_: str) -> None:
        https = self._parts.settings.https
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if https:
            headers["strict-transport-security"] = _HTTPS_ONLY
        headers["x-request-id"] = id_
        headers.add_vary_header("accept-language")
        for cookie in scope.get("govbus.cookies", {}).values():
            headers.append("set-cookie", header_of(cookie, https))


def where(error: BaseException) -> str:
    """Where an error was raised: files and lines, without its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def route_of(scope: Mapping[str, Any]) -> str:
    """The pattern of the route, such as ``/api/v1/cases/{case}``; a dash where none was found."""
    pattern = getattr(scope.get("route"), "path", None)
    if not isinstance(pattern, str):
        return "-"
    # A route knows its own path, without the prefix under which it was included.
    return f"{_PREFIX}{pattern}" if scope["path"].startswith(f"{_PREFIX}/") else pattern
