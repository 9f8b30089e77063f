"""``/api/v1/catalogue/mounting``: whether there is data behind each entry, and an entry before each topic."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Limit
from services.api.routes.snapshots import TroubleAnswer
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer
from services.api.uses import mounting
from services.api.uses.mounting import Found
from services.control.catalogue.mounting import Differing, Mount
from services.control.store.catalogue.mountings import Line

router = APIRouter(prefix="/catalogue/mounting", tags=["catalogue"])


class DifferenceAnswer(Answer):
    """In what an entry and its topic do not agree, and what each of them says; shown to those concerned."""

    what: Differing
    entry: str | None
    definition: str | None


class MountAnswer(Answer):
    """An entry with its topic, or one of both.

    `name` is the code of the entry, or else the id of the resource. `freshness_s` is how long nothing came,
    `allowed_s` how long the update cycle allows.
    """

    name: str
    state: Mount
    entry: UUID | None
    title: str | None
    department: str | None
    provider: str | None
    resource: str | None
    topic: str | None
    update_cycle: str | None
    last_event_at: datetime | None
    freshness_s: float | None
    allowed_s: float | None
    records: int | None
    accepted: int | None
    stopped: int | None
    reasons: dict[str, int]
    differences: list[DifferenceAnswer]


class MountingAnswer(Answer):
    """Some lines, how many there are in each state, and of when that is: null where nobody has looked."""

    items: list[MountAnswer]
    next: str | None
    counts: dict[str, int]
    as_of: datetime | None
    trouble: TroubleAnswer | None


class StandingAnswer(Answer):
    """How one entry stands; `mount` is null where nobody has looked, or it is not published."""

    mount: MountAnswer | None
    as_of: datetime | None
    trouble: TroubleAnswer | None


@router.get("")
def list_mounting(
    request: Request,
    state: Annotated[tuple[Mount, ...], Query(max_length=10)] = (),
    cursor: Cursor = None,
    limit: Limit = 50,
) -> MountingAnswer:
    """List entries with what is really there of them, entries without data, and topics without entry."""
    question = ("mounting", sorted(state))
    place = place_of(cursor, [str], *question)
    after = "" if place is None else str(place[0])
    found = mounting.listed(parts_of(request), principal_of(request), state, after, limit + 1)
    lines = found.lines[:limit]
    return MountingAnswer(
        items=[_mount(each) for each in lines],
        next=cursor_at([lines[-1].name], *question) if len(found.lines) > limit else None,
        counts={each.value: count for each, count in found.counts.items()},
        as_of=found.as_of,
        trouble=_trouble(found),
    )


@router.get("/{entry:path}")
def show_mounting(request: Request, entry: str) -> StandingAnswer:
    """Show what is really there of an entry, by its id or its resource code."""
    found = mounting.of_entry(parts_of(request), principal_of(request), entry)
    mount = _mount(found.lines[0]) if found.lines else None
    return StandingAnswer(mount=mount, as_of=found.as_of, trouble=_trouble(found))


def _trouble(found: Found) -> TroubleAnswer | None:
    return None if found.trouble is None else TroubleAnswer.model_validate(found.trouble)


def _mount(line: Line) -> MountAnswer:
    seen, quality = line.mounted, line.quality
    return MountAnswer(
        name=line.name,
        state=line.state,
        entry=line.entry,
        title=line.title,
        department=line.department,
        provider=line.provider,
        resource=line.resource,
        topic=quality.get("canonical_topic"),
        update_cycle=quality.get("update_cycle"),
        last_event_at=_moment(seen.get("last_event_at") or quality.get("last_event_at")),
        freshness_s=seen.get("freshness_s", quality.get("freshness_s")),
        allowed_s=seen.get("allowed_s", quality.get("allowed_s")),
        records=seen.get("records", quality.get("records")),
        accepted=quality.get("accepted"),
        stopped=quality.get("stopped"),
        reasons=dict(quality.get("reasons") or {}),
        differences=[DifferenceAnswer(**each) for each in seen.get("differences", [])],
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
