"""``/api/v1/volumes``: full volumes of resources, and whether the bus holds what sources hold."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Limit
from services.api.routes.snapshots import TroubleAnswer
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer
from services.api.uses import volumes
from services.control.epochs.standing import Epoch, Volume
from services.control.epochs.state import EpochState
from services.control.store.reconciliations.kept import Comparison, Ending
from services.control.store.snapshots import Trouble

router = APIRouter(prefix="/volumes", tags=["operation"])


class EpochAnswer(Answer):
    """One full volume; `told` is when it ended, was given up or began to wait for the operator.

    `counts` holds `rows_scanned`, `keys_seen`, `candidates`, `swept` and `records` once it ended, `unseen`
    and `candidates` while it waits. `columns` are those of the primary key by which it was narrowed.
    """

    number: int
    state: EpochState
    begin: datetime
    told: datetime
    columns: list[str]
    initial: bool
    reason: str
    by: str
    detail: str
    counts: dict[str, int]
    digest: str


class AdvanceAnswer(Answer):
    """How an open full volume gets on; null where nobody can tell."""

    came: int
    expected: int | None
    rate: float | None
    left_s: float | None


class TimelyAnswer(Answer):
    """How soon changes came from the source to the canonical topic, in seconds, and how many were late."""

    update_cycle: str
    allowed_s: float
    changes: int
    late: int
    half_within_s: float | None
    nearly_all_within_s: float | None
    newest: datetime | None


class ComparisonAnswer(Answer):
    """One comparison of a resource with its source at one cut: rows that differ by class, what mends them."""

    at: datetime
    ending: Ending
    cut: str
    source_rows: int
    source_digest: str
    canonical_rows: int
    canonical_digest: str
    ranges: int
    differing_ranges: int
    lost: int
    extra: int
    different: int
    duplicated: int
    of_sinks: int
    explained: int
    repair: str | None
    timely: TimelyAnswer | None


class VolumeAnswer(Answer):
    """A resource; `captured`: the bus reads it from a table; `marked`: since when it is incomplete."""

    resource: str
    code: str | None
    provider: str
    captured: bool
    marked: datetime | None
    newest: EpochAnswer | None
    advance: AdvanceAnswer | None
    compared: ComparisonAnswer | None


class VolumesAnswer(Answer):
    """Some resources, and of when that is: null where nobody has looked yet."""

    items: list[VolumeAnswer]
    next: str | None
    as_of: datetime | None
    trouble: TroubleAnswer | None


class OneVolumeAnswer(VolumeAnswer):
    """A resource with its full volumes and its comparisons, the newest first."""

    epochs: list[EpochAnswer]
    comparisons: list[ComparisonAnswer]
    as_of: datetime | None
    trouble: TroubleAnswer | None


@router.get("")
def list_volumes(request: Request, cursor: Cursor = None, limit: Limit = 50) -> VolumesAnswer:
    """List resources with newest full volume and last comparison, those that wait for a person first."""
    place = place_of(cursor, [int], "volumes")
    start = 0 if place is None else int(place[0])
    found = volumes.listed(parts_of(request), principal_of(request), None, start, limit)
    following = start + limit
    return VolumesAnswer(
        items=[VolumeAnswer(**_volume(each.volume, each.last)) for each in found.lines],
        next=cursor_at([following], "volumes") if following < found.total else None,
        as_of=found.as_of,
        trouble=_trouble(found.trouble),
    )


@router.get("/{resource}")
def show_volume(request: Request, resource: str) -> OneVolumeAnswer:
    """Show the full volumes and the comparisons of one resource."""
    found = volumes.shown(parts_of(request), principal_of(request), resource)
    last = found.comparisons[0] if found.comparisons else None
    return OneVolumeAnswer(
        **_volume(found.volume, last),
        epochs=[_epoch(each) for each in found.volume.epochs],
        comparisons=[_compared(each) for each in found.comparisons],
        as_of=found.as_of,
        trouble=_trouble(found.trouble),
    )


def _volume(volume: Volume, last: Comparison | None) -> dict[str, Any]:
    advance = volume.advance
    return {
        "resource": volume.resource,
        "code": volume.code,
        "provider": volume.provider,
        "captured": volume.captured,
        "marked": volume.marked,
        "newest": None if volume.newest is None else _epoch(volume.newest),
        "advance": None if advance is None else AdvanceAnswer.model_validate(advance),
        "compared": None if last is None else _compared(last),
    }


def _epoch(epoch: Epoch) -> EpochAnswer:
    return EpochAnswer.model_validate(epoch)


def _compared(found: Comparison) -> ComparisonAnswer:
    proof = found.proof
    return ComparisonAnswer(
        at=proof.at,
        ending=found.ending,
        cut=proof.cut,
        source_rows=proof.source_rows,
        source_digest=proof.source_digest,
        canonical_rows=proof.canonical_rows,
        canonical_digest=proof.canonical_digest,
        ranges=found.ranges,
        differing_ranges=found.differing_ranges,
        **found.classes,
        of_sinks=found.of_sinks,
        explained=proof.explained,
        repair=found.repair,
        timely=None if found.timely is None else TimelyAnswer.model_validate(found.timely),
    )


def _trouble(trouble: Trouble | None) -> TroubleAnswer | None:
    return None if trouble is None else TroubleAnswer.model_validate(trouble)
