"""Where the next page of a list begins: opaque, good only for the same question, and refused if it is none.

A cursor widens nothing: what somebody sees is asked for anew with every page.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from services.api.codes import Code
from services.api.problems import AnswerProblem

_Place = Sequence[int | str | None]


def cursor_at(place: _Place, *question: Any) -> str:
    """The cursor behind the last one of a page, by what its list is ordered by."""
    text = json.dumps([_mark(question), list(place)], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def place_of(cursor: str | None, kinds: Sequence[type], *question: Any) -> list[Any] | None:
    """The place that a cursor stands for; None for the first page.

    Args:
        cursor: as it was given out.
        kinds: the type of each part of the place.
        question: which list, with all of its filters.

    Raises:
        AnswerProblem: it is none of this list.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark, place = json.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise AnswerProblem(Code.CURSOR) from error
    sound = isinstance(place, list) and len(place) == len(kinds) and mark == _mark(question)
    if not sound or not all(_is(part, kind) for part, kind in zip(place, kinds, strict=True)):
        raise AnswerProblem(Code.CURSOR)
    return list(place)


def _is(part: object, kind: type) -> bool:
    if kind is int:
        return type(part) is int and abs(part) < 1 << 63
    return type(part) is kind and _can_be_asked(str(part))


def _can_be_asked(text: str) -> bool:
    """Whether a database takes a text: neither half of a surrogate pair nor NUL is in it."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _mark(question: Sequence[Any]) -> str:
    said = json.dumps(question, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]
