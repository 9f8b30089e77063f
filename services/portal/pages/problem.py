"""A problem as a page: what is wrong, what to do, and a way on; whoever is not logged in is asked to."""

from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import ProblemDocument
from services.portal.rendering import page_for_nobody

_HTMX = "hx-request"


def problem_page(request: Request, document: ProblemDocument) -> Response:
    """The answer to a browser."""
    if document.code is Code.LOG_IN:
        return _to_login(request)
    return page_for_nobody(request, "problem.html", document.status, document=document)


def _to_login(request: Request) -> Response:
    """Come back after the login, unless something was to be changed: that is not done unseen."""
    back = request.url.path
    if request.url.query:
        back = f"{back}?{request.url.query}"
    address = "/login" if request.method != "GET" else f"/login?{urlencode({'back': back})}"
    if request.headers.get(_HTMX):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(address, 303)
