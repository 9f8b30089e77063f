"""Full volumes: how the epochs of each resource stand, and whether the bus holds what its source holds."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import volumes
from services.control.store.reconciliations.kept import CLASSES, Comparison
from services.portal.operations.asked import PAGE, asked, page_asked
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/volumes")
def volumes_page(request: Request) -> Response:
    """All resources that the reader may see; those that wait for a person first."""
    words, number = asked(request, "words"), page_asked(request)
    start = (number - 1) * PAGE
    found = volumes.listed(parts_of(request), principal_of(request), words, start, PAGE)
    return page(
        request,
        "volumes/list.html",
        found=found,
        following=number + 1 if start + PAGE < found.total else None,
        filtered=words is not None,
    )


@router.get("/volumes/{resource}")
def volume_page(request: Request, resource: str) -> Response:
    """One resource: its epochs, its comparisons, and what differed in the last one."""
    found = volumes.shown(parts_of(request), principal_of(request), resource)
    return page(
        request,
        "volumes/one.html",
        found=found,
        last=found.comparisons[0] if found.comparisons else None,
        classes=CLASSES,
        points=_points(found.comparisons),
    )


def _points(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """What the chart draws, the oldest first; the table of comparisons says the same."""
    return [
        {
            "at": each.proof.at.isoformat(),
            "source": each.proof.source_rows,
            "canonical": each.proof.canonical_rows,
            "differences": each.proof.differences,
        }
        for each in reversed(comparisons)
    ]
