"""What changes something comes from a page of ours: a token of the session, and where it was sent from.

The token is made of the session's id, which only the browser and we know, so nothing has to be kept.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.cookies import came_with, parts_of, session_of

HEADER: Final = "x-csrf-token"
FIELD: Final = "csrf_token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MEANT_FOR: Final = b"govbus csrf 1"
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_OURS: Final = frozenset({"same-origin", "none"})


def csrf_token(request: Request) -> str:
    """The token for forms and scripts of a page; empty where nobody is logged in."""
    id_ = session_of(request)
    return "" if not id_ else _token(id_)


async def checked(request: Request) -> None:
    """Let a request that changes something through only where it comes from a page of ours.

    Raises:
        AnswerProblem: it was sent from elsewhere, or the token is missing or another session's.
    """
    if request.method in _SAFE or request.headers.get("authorization"):
        return
    if not _same_origin(request, parts_of(request)):
        raise AnswerProblem(Code.CROSS_SITE)
    id_ = came_with(request)
    if id_ and not hmac.compare_digest(_token(id_).encode(), (await _shown(request)).encode()):
        raise AnswerProblem(Code.CROSS_SITE)


async def _shown(request: Request) -> str:
    """The token that came along, in the header or as a field of a form."""
    header = request.headers.get(HEADER)
    if header is not None:
        return header
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return ""
    field = (await request.form()).get(FIELD)
    return field if isinstance(field, str) else ""


def _token(id_: str) -> str:
    made = hmac.new(id_.encode("utf-8", "surrogatepass"), _MEANT_FOR, hashlib.sha256).digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def _same_origin(request: Request, parts: Parts) -> bool:
    """Whether the browser says that a page of ours sent it; programs that are no browsers say nothing."""
    if request.headers.get("sec-fetch-site", "none") not in _OURS:
        return False
    origin = request.headers.get("origin")
    if origin is None or origin == parts.settings.origin:
        return True
    return urlsplit(origin).netloc == request.headers.get("host", "")
