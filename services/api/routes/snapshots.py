"""``/api/v1/snapshots``: what was seen of the running bus, and when."""

from datetime import datetime

from fastapi import APIRouter, Request

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document
from services.api.uses import snapshots
from services.control.store.snapshots import Kind

router = APIRouter(prefix="/snapshots", tags=["operation"])


class TroubleAnswer(Answer):
    """Why a kind cannot be renewed, and since when."""

    what: str
    since: datetime


class SnapshotAnswer(Answer):
    """What was seen of one kind; ``as_of`` is null where nobody has looked yet."""

    kind: Kind
    as_of: datetime | None
    trouble: TroubleAnswer | None
    documents: dict[str, Document]


@router.get("/{kind}")
def show_snapshot(request: Request, kind: Kind) -> SnapshotAnswer:
    """Show what was seen last of everything of a kind that the reader may look at."""
    found = snapshots.seen(parts_of(request), principal_of(request), kind)
    return SnapshotAnswer(
        kind=kind,
        as_of=found.as_of,
        trouble=None if found.trouble is None else TroubleAnswer.model_validate(found.trouble),
        documents={name: dict(document) for name, document in found.documents.items()},
    )
