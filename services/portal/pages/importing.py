"""Taking a whole table of entries in, and giving the catalogue out as a file."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.api.uses.catalogue_files import FileForm, Report, exported, imported
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.catalogue.fields import label
from services.control.catalogue.files import SUFFIXES
from services.control.catalogue.importing import Rejected
from services.control.catalogue.vocabulary import Language
from services.control.store.catalogue.loading import NotLoaded
from services.control.store.catalogue.wording import clash_in_words
from services.portal.forms import Form, text, ticked, upload
from services.portal.languages import tongue_of
from services.portal.rendering import page

router = APIRouter(include_in_schema=False)
_MOST_SHOWN: Final = 500


@router.get("/catalogue/import")
def import_page(request: Request) -> Response:
    """Ask for a file."""
    require(request, Action.CATALOGUE_IMPORT, own(asker_of(request).principal))
    return page(request, "catalogue/import.html", report=None)


@router.post("/catalogue/import")
def import_file(request: Request, form: Form) -> Response:
    """Take the file whole, or show everything that is wrong with it by row, field and remedy."""
    principal = asker_of(request).principal
    require(request, Action.CATALOGUE_IMPORT, own(principal))
    file = upload(form, "file")
    if file is None:
        return page(request, "catalogue/import.html", Code.INVALID.status, report=None, missing=True)
    with TemporaryDirectory(prefix="govbus-import-") as folder:
        path = _kept(file, Path(folder))
        why = text(form, "why") or f"{path.suffix} table"
        report = imported(parts_of(request), principal, path, why, ticked(form, "dry_run"))
    status = 200 if report.fits else Code.INVALID.status
    return page(request, "catalogue/import.html", status, **_shown(request, report))


@router.get("/catalogue/export.{form}")
def export_file(request: Request, form: FileForm, language: Language = Language.ZH) -> Response:
    """What is published, as a file: in the official form, which is Chinese, or with English words."""
    with exported(parts_of(request), asker_of(request).principal, form, language) as path:
        content = path.read_bytes()
    named = {"content-disposition": f'attachment; filename="catalogue.{form.value}"'}
    return Response(content, media_type=form.media_type, headers=named)


def _kept(file: UploadFile, folder: Path) -> Path:
    """The upload as a file; of its name only the suffix counts."""
    suffix = Path(file.filename or "").suffix.lower()
    if suffix not in SUFFIXES:
        raise AnswerProblem(Code.UNSUPPORTED)
    path = folder / f"upload{suffix}"
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target)
    return path


def _shown(request: Request, report: Report) -> dict[str, object]:
    """What became of the file, in the language of the reader."""
    language = tongue_of(request).language
    found = report.read.found if isinstance(report.read, Rejected) else ()
    clashes = report.done.clashes if isinstance(report.done, NotLoaded) else ()
    return {
        "report": report,
        "found": found[:_MOST_SHOWN],
        "count": len(found),
        "clashes": [(each, clash_in_words(each.against, each.other, language)) for each in clashes],
        "language": language,
        "field_label": lambda field: label(field, language),
        "outcomes": {} if not report.fits else getattr(report.done, "outcomes", {}),
    }
