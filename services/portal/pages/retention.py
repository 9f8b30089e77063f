"""For how long evidence is kept, by which article, and where somebody had shortened it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.process.retention import FLOOR
from services.control.store.snapshots import Kind, all_of
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/retention")
def retention_page(request: Request) -> Response:
    """The floor for everybody; topics by name for who sees all of the operation."""
    require(request, Action.POLICY_LOOK, own(principal_of(request)))
    with parts_of(request).database.reading() as connection:
        seen = all_of(connection, Kind.RETENTION)
    everything = sees(principal_of(request), Action.OPERATION_LOOK, Whose())
    topics = {name: each for name, each in seen.documents.items() if name != FLOOR} if everything else {}
    return page(
        request,
        "retention.html",
        as_of=seen.as_of,
        floor=seen.documents.get(FLOOR),
        topics=topics,
        raised=[name for name, each in topics.items() if "raised_at" in each],
    )
