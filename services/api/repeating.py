"""What changes something takes place once for each idempotency key, and is answered the same way again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.shapes import Answer
from services.control.accounts.decision import Principal
from services.control.store.requests.answered import Kept, answered, claim


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a request; ``once`` is said in the first answer only and kept nowhere."""

    body: Answer | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    once: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for under a key: the same route, object and content are the same request."""

    key: str | None
    route: str
    content: tuple[Any, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of all that is asked for."""
        said = json.dumps([self.route, *self.content], default=str, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def once(
    parts: Parts, principal: Principal, request: Request, work: Callable[[Connection], Made]
) -> Response:
    """Do the work in one transaction with the key; where the key is known, say what was said then.

    A request that is refused leaves its key free, so that it can be corrected.

    Raises:
        AnswerProblem: the key was used for something else, or the work refuses.
    """
    with parts.database.begin() as connection:
        if request.key is None:
            return _response(work(connection))
        who, key = principal.person, request.key
        known = claim(connection, who, key, request.digest, parts.clock())
        if known is not None and known.digest != request.digest:
            raise AnswerProblem(Code.KEY_REUSED)
        if known is not None:
            return _again(known.answer)
        made = work(connection)
        answered(connection, who, key, Kept(made.status, made.headers, _body(made)))
    return _response(made)


def _body(made: Made) -> Any:
    return None if made.body is None else made.body.model_dump(mode="json")


def _response(made: Made) -> Response:
    body = _body(made)
    if body is None:
        return Response(status_code=made.status, headers=dict(made.headers))
    return JSONResponse({**body, **made.once}, made.status, dict(made.headers))


def _again(kept: Kept) -> Response:
    headers = {**kept.headers, "idempotency-replayed": "true"}
    if kept.body is None:
        return Response(status_code=kept.status, headers=headers)
    return JSONResponse(kept.body, kept.status, headers)
