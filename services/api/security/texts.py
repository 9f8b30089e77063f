"""Texts that no database can keep are refused at the door: those with the character NUL."""

from typing import Final

from fastapi import Request

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.control.cases.words import Problem

_IN_ADDRESS: Final = "%00"
_NUL: Final = Problem("FORM", "", "the character NUL cannot be kept", "leave it out")
_MARKS: Final = {
    "application/json": (b"\0", b"\\u0000"),
    "application/x-www-form-urlencoded": (b"\0", b"%00"),
}


async def checked(request: Request) -> None:
    """Let a request through unless the character NUL is in its address or its body.

    Raises:
        AnswerProblem: it is.
    """
    address = f"{request.scope.get('raw_path', b'').decode('latin-1')}?{request.url.query}"
    if _IN_ADDRESS in address:
        raise AnswerProblem(Code.INVALID, [_NUL])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    marks = _MARKS.get(kind, ())
    if marks:
        body = await request.body()
        if any(mark in body for mark in marks):
            raise AnswerProblem(Code.INVALID, [_NUL])
