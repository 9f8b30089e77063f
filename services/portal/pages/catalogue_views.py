"""What is derived of the published catalogue: its directories, and the responsibility list."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses import catalogue, catalogue_views
from services.api.uses.catalogue_views import DirectoryForm
from services.control.catalogue.cells import entry_cells
from services.control.catalogue.directories import FIELDS, Directory
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import Field, label
from services.control.catalogue.fulfilment import Fulfilment, fulfilled
from services.portal.forms import go
from services.portal.languages import tongue_of
from services.portal.lists import address_of
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)
_PER_PAGE = 50
_IN_THE_TITLE = frozenset({Field.NAME, Field.CODE, Field.PROVIDER_CODE, Field.SUMMARY, Field.ITEM_NAME})


@router.get("/catalogue/directories/{directory}")
def directory_page(request: Request, directory: Directory) -> Response:
    """What is shared, what is open, or what is not shared and why."""
    parts, principal, here = parts_of(request), principal_of(request), address_of(request)
    found = catalogue_views.directory(parts, principal, directory, here.get("after"), _PER_PAGE)
    language = tongue_of(request).language
    fields = [each for each in FIELDS[directory] if each not in _IN_THE_TITLE]

    def said(entry: Entry) -> list[str]:
        cells = entry_cells(entry, language)
        return [cells[each] for each in fields]

    return page(
        request,
        "catalogue/directory.html",
        directory=directory,
        directories=tuple(Directory),
        forms=tuple(DirectoryForm),
        columns=[label(each, language) for each in fields],
        rows=[(each, said(each)) for each in found.entries],
        following=found.following,
    )


@router.get("/catalogue/directories/{directory}/export.{form}")
def export_directory(request: Request, directory: Directory, form: DirectoryForm) -> Response:
    """A whole directory as a file, in the language of its reader."""
    parts, principal, language = parts_of(request), principal_of(request), tongue_of(request).language
    with catalogue_views.directory_file(parts, principal, directory, form, language) as path:
        content, name = path.read_bytes(), path.name
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=form.media_type)


@router.get("/catalogue/duties")
def duties_page(request: Request) -> Response:
    """What one department must collect, one's own at first, and whether it is really there."""
    parts, principal, here = parts_of(request), principal_of(request), address_of(request)
    chosen = here.get("department") or catalogue_views.own_name(parts, principal)
    found = catalogue_views.duties(parts, principal, chosen)
    if not found.departments and not here.get("department") and found.names:
        chosen = found.names[0]
        found = catalogue_views.duties(parts, principal, chosen)
    duties = found.departments.get(chosen, ())
    wanted = here.get("fulfilment")
    return page(
        request,
        "catalogue/duties.html",
        chosen=chosen,
        names=found.names,
        done=fulfilled(duties),
        count=len(duties),
        duties=[each for each in duties if wanted in ("", each.fulfilment.value)],
        as_of=found.as_of,
        values=tuple(Fulfilment),
    )


@router.get("/catalogue/code/{code:path}")
def of_code(request: Request, code: str) -> Response:
    """The entry with a resource code: where lists lead that know codes only."""
    found = catalogue.shown(parts_of(request), principal_of(request), code)
    return go(f"/catalogue/entries/{found.stored.id}")
