"""Notes for every request outside of the API which language its reader chose, before anything fails."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.problems import API
from services.portal.languages import tongue_of


class ChosenLanguage:
    """ASGI middleware around pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (see ASGI)."""
        if scope["type"] == "http" and not scope["path"].startswith(API):
            scope.setdefault("state", {})["language"] = tongue_of(Request(scope)).language
        await self._app(scope, receive, send)
