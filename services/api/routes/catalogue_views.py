"""``/api/v1/catalogue/directories`` and ``/duties``: what is derived of the published catalogue."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Filter, Limit, Spoken
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document, Page
from services.api.uses import catalogue_views
from services.api.uses.catalogue_views import DirectoryForm
from services.control.catalogue.directories import Directory, line_of
from services.control.catalogue.fulfilment import Fulfilment, Judged, fulfilled
from services.control.catalogue.vocabulary import Language

router = APIRouter(prefix="/catalogue", tags=["catalogue"])
_PIECE = 1 << 16


class DutyAnswer(Answer):
    """One item that a department must collect, and how that stands."""

    code: str | None
    entry: str
    item: str
    key: bool
    update_cycle: str | None
    fulfilment: Fulfilment


class DepartmentDutiesAnswer(Answer):
    """What a department must collect."""

    department: str
    fulfilled: int
    duties: list[DutyAnswer]


class DutiesAnswer(Answer):
    """The responsibility list, by what was seen of the bus; ``as_of`` is null where nobody has looked."""

    as_of: datetime | None
    items: list[DepartmentDutiesAnswer]


@router.get("/directories/{directory}")
def list_directory(
    request: Request, directory: Directory, cursor: Cursor = None, limit: Limit = 50
) -> Page[Document]:
    """List what is shared, what is open, or what is not shared and why, by resource code."""
    place = place_of(cursor, [str], "directory", directory)
    after = "" if place is None else str(place[0])
    parts, principal = parts_of(request), principal_of(request)
    found = catalogue_views.directory(parts, principal, directory, after, limit)
    more = None if found.following is None else cursor_at([found.following], "directory", directory)
    return Page(items=[line_of(each, directory) for each in found.entries], next=more)


@router.get("/directories/{directory}/export", response_class=StreamingResponse)
def export_directory(
    request: Request,
    directory: Directory,
    form: Annotated[DirectoryForm, Query(alias="format")] = DirectoryForm.CSV,
    language: Spoken = Language.ZH,
) -> StreamingResponse:
    """Write a whole directory as CSV or JSON."""
    held = ExitStack()
    parts, principal = parts_of(request), principal_of(request)
    path = held.enter_context(catalogue_views.directory_file(parts, principal, directory, form, language))
    name = f'attachment; filename="{path.name}"'
    return StreamingResponse(_pieces(path, held), 200, {"content-disposition": name}, form.media_type)


@router.get("/duties")
def list_duties(request: Request, department: Filter = None) -> DutiesAnswer:
    """List what each department must collect, or the one of that name, and whether it really does."""
    found = catalogue_views.duties(parts_of(request), principal_of(request), department)
    return DutiesAnswer(
        as_of=found.as_of,
        items=[
            DepartmentDutiesAnswer(
                department=name, fulfilled=fulfilled(each), duties=[_duty(one) for one in each]
            )
            for name, each in found.departments.items()
        ],
    )


def _duty(each: Judged) -> DutyAnswer:
    duty = each.duty
    return DutyAnswer(
        code=None if duty.code is None else str(duty.code),
        entry=duty.entry,
        item=duty.item,
        key=duty.key,
        update_cycle=None if duty.update_cycle is None else duty.update_cycle.value,
        fulfilment=each.fulfilment,
    )


def _pieces(path: Path, held: ExitStack) -> Iterator[bytes]:
    with held, path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
