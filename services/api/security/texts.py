"""Texts that no database can keep are refused at the door: those with the character NUL."""

from typing import Final

from fastapi import Request

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.control.cases.words import Problem

_IN_ADDRESS: Final = "%00"
_NUL: Final = Problem("FORM", "", "the character NUL cannot be kept", "leave it out")
_IN_JSON: Final = (b"\0", b"\\u0000")
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


async def checked(request: Request) -> None:
    """Let a request through unless the character NUL is in its address or its body.

    Raises:
        AnswerProblem: it is.
    """
    address = f"{request.scope.get('raw_path', b'').decode('latin-1')}?{request.url.query}"
    if _IN_ADDRESS in address or await _in_body(request):
        raise AnswerProblem(Code.INVALID, [_NUL])


async def _in_body(request: Request) -> bool:
    """Forms are read as forms: whoever handles the request has read them so, or will."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        fields = (await request.form()).multi_items()
        return any("\0" in name or (isinstance(value, str) and "\0" in value) for name, value in fields)
    if kind == "application/json":
        body = await request.body()
        return any(mark in body for mark in _IN_JSON)
    return False
