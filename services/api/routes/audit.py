"""``/api/v1/acts``: who did what to an object, when and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Limit
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import audit

router = APIRouter(prefix="/acts", tags=["audit"])


class ActAnswer(Answer):
    """An act; it names accounts by their ids and holds no personal data."""

    id: int
    who: str
    what: str
    kind: str
    object: str
    when: datetime
    reason: str
    facts: dict[str, str | int | bool | None]


@router.get("/{kind}/{object_:path}")
def list_acts(
    request: Request,
    kind: Annotated[str, Path(pattern=r"^[a-z-]{1,40}$")],
    object_: Annotated[str, Path(pattern=r"^[!-~]{1,200}$")],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ActAnswer]:
    """List the acts on an object, the oldest first."""
    question = ("acts", kind, object_)
    place = place_of(cursor, [int], *question)
    after = 0 if place is None else int(place[0])
    found = audit.acts(parts_of(request), principal_of(request), kind, object_, after, limit + 1)
    more = cursor_at([found[limit - 1].id], *question) if len(found) > limit else None
    items = [
        ActAnswer(
            id=each.id,
            who=each.act.who,
            what=each.act.what,
            kind=each.act.kind,
            object=each.act.object,
            when=each.act.when,
            reason=each.act.reason,
            facts=dict(each.act.facts),
        )
        for each in found[:limit]
    ]
    return Page(items=items, next=more)
