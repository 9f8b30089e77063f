"""Credentials: when a department's ends, and the code with which its clerk has a new one fetched."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import credentials
from services.api.uses.credentials import PickUpCode
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/credentials")
def credentials_page(request: Request) -> Response:
    """The credentials that the reader may have renewed."""
    return _show(request, None)


@router.post("/credentials/{consumer}/rotate")
def rotate(request: Request, consumer: str) -> Response:
    """Make a code for a new credential; it is on the answer, and nowhere else ever again."""
    code = credentials.rotation_ordered(parts_of(request), principal_of(request), consumer)
    return _show(request, code)


def _show(request: Request, code: PickUpCode | None) -> Response:
    lines = credentials.listed(parts_of(request), principal_of(request))
    return page(request, "credentials.html", lines=lines, code=code)
