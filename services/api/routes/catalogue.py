"""``/api/v1/catalogue``: entries found, written, reviewed, published; the whole catalogue as a file."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import Field

from services.api.answers.catalogue import (
    CountAnswer,
    EntryAnswer,
    EntryForm,
    FoundAnswer,
    ListedAnswer,
    TakenAnswer,
    entry_answer,
    taken_answer,
)
from services.api.codes import Code
from services.api.etags import etag_of
from services.api.forms import Cursor, Form, IfMatch, Key, Limit, Spoken, Text
from services.api.problems import AnswerProblem, asked_language
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer
from services.api.uses import catalogue, catalogue_files
from services.api.uses.catalogue_files import FileForm
from services.control.catalogue.importing import Rejected
from services.control.catalogue.lifecycle import LONGEST_FILING, Action, State
from services.control.catalogue.vocabulary import Cycle, Language, Library, OpenType, ResourceClass
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.listing import Facet
from services.control.store.catalogue.loading import Loaded, NotLoaded, Outcome
from services.control.store.catalogue.wording import clash_in_words
from topics.resource import ShareType

router = APIRouter(prefix="/catalogue", tags=["catalogue"])
_PIECE = 1 << 16


class StepForm(Form):
    """A step of an entry's life."""

    action: Literal[
        "submit",
        "register",
        "refuse_registration",
        "request_publication",
        "publish",
        "refuse_publication",
        "revise",
        "withdraw",
    ]
    why: Text = ""
    changed_on: Annotated[
        date | None, Field(description="With `revise`: the day on which the law or the function changed.")
    ] = None
    filing: Annotated[
        str,
        Field(
            max_length=LONGEST_FILING,
            description="With `register` of a revision: the number of its filing, where packs ask for one.",
        ),
    ] = ""


class ClashAnswer(Answer):
    """Why an entry of a file cannot be taken."""

    number: int
    code: str
    name: str
    against: str
    what: str
    remedy: str


class LineAnswer(Answer):
    """What is wrong with a line of a file."""

    rule: str
    row: int | None
    column: int | None
    entry: str
    value: str
    what: str
    remedy: str


class ImportAnswer(Answer):
    """What became of a file."""

    imported: bool
    dry_run: bool
    fits: bool
    entries: int
    rows: int
    outcomes: dict[str, int]
    problems: list[LineAnswer]
    clashes: list[ClashAnswer]


@router.get("")
def search(
    request: Request,
    q: Annotated[str, Query(max_length=200, description="Words, parts of them, or pinyin initials.")] = "",
    state: Annotated[tuple[State, ...], Query(max_length=20)] = (),
    provider: Annotated[tuple[str, ...], Query(max_length=50)] = (),
    share_type: Annotated[tuple[ShareType, ...], Query(max_length=20)] = (),
    open_type: Annotated[tuple[OpenType, ...], Query(max_length=20)] = (),
    resource_class: Annotated[tuple[ResourceClass, ...], Query(max_length=20)] = (),
    library: Annotated[tuple[Library, ...], Query(max_length=50)] = (),
    update_cycle: Annotated[tuple[Cycle, ...], Query(max_length=20)] = (),
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FoundAnswer:
    """Find entries, the best matches first; any of the values of one filter fits."""
    chosen = {
        Facet.STATE: state,
        Facet.PROVIDER: provider,
        Facet.SHARE_TYPE: share_type,
        Facet.OPEN_TYPE: open_type,
        Facet.RESOURCE_CLASS: resource_class,
        Facet.LIBRARY: library,
        Facet.UPDATE_CYCLE: update_cycle,
    }
    given = {facet: frozenset(map(str, values)) for facet, values in chosen.items() if values}
    found = catalogue.search(parts_of(request), principal_of(request), q, given, limit, cursor)
    return FoundAnswer(
        items=[ListedAnswer.model_validate(each) for each in found.page.entries],
        next=found.page.following,
        total=found.total,
        facets={
            facet.name.lower(): [CountAnswer.model_validate(each) for each in counts]
            for facet, counts in found.counts.items()
        },
    )


@router.post("/entries", status_code=201, response_model=TakenAnswer)
def open_entry(request: Request, form: EntryForm, key: Key = None) -> Response:
    """Begin an entry of the own department, as a draft."""
    parts, principal = parts_of(request), principal_of(request)
    asked = Asked(key, "open-entry", (form.model_dump(mode="json"),))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(catalogue.opened(parts, principal, connection, form.entry), 201),
    )


@router.get("/entries/{entry:path}")
def show_entry(request: Request, response: Response, entry: str) -> EntryAnswer:
    """Show an entry, by its id or its resource code."""
    principal = principal_of(request)
    found = catalogue.shown(parts_of(request), principal, entry)
    response.headers["etag"] = etag_of(found.stored.lock_version)
    return entry_answer(found, catalogue.possible(principal, found))


@router.put("/entries/{entry}")
def edit_entry(
    request: Request, response: Response, entry: UUID, form: EntryForm, if_match: IfMatch = None
) -> TakenAnswer:
    """Replace the content of a draft."""
    stored = catalogue.edited(parts_of(request), principal_of(request), entry, form.entry, if_match)
    response.headers["etag"] = etag_of(stored.lock_version)
    return taken_answer(stored)


@router.post("/entries/{entry}/steps", response_model=TakenAnswer)
def step_entry(
    request: Request, entry: UUID, form: StepForm, key: Key = None, if_match: IfMatch = None
) -> Response:
    """Take an entry a step further in its life, on the version that was looked at."""
    parts, principal = parts_of(request), principal_of(request)
    action = Action(form.action)
    asked = Asked(key, "step-entry", (str(entry), form.model_dump(mode="json"), if_match))
    return once(
        parts,
        principal,
        asked,
        lambda connection: _made(
            catalogue.stepped(
                parts,
                principal,
                connection,
                entry,
                action,
                form.why,
                if_match,
                form.changed_on,
                form.filing,
            )
        ),
    )


@router.post("/import")
def import_file(
    request: Request,
    file: UploadFile,
    dry_run: Annotated[bool, Query(description="Say what would come of it, and write nothing.")] = True,
    why: Annotated[str, Query(max_length=1000)] = "",
) -> ImportAnswer:
    """Take a file of the own department's entries whole, as drafts; all that is wrong with it at once."""
    parts, principal = parts_of(request), principal_of(request)
    suffix = Path(file.filename or "").suffix.lower()
    with TemporaryDirectory(prefix="govbus-import-") as folder:
        path = Path(folder) / f"catalogue{suffix if suffix in ('.csv', '.xlsx') else ''}"
        with path.open("wb") as kept:
            shutil.copyfileobj(file.file, kept)
        report = catalogue_files.imported(parts, principal, path, why or "import over the API", dry_run)
    answer = _report(report, asked_language(request))
    if not report.fits and not dry_run:
        raise AnswerProblem(Code.INVALID, report=answer.model_dump(mode="json"))
    return answer


@router.get("/export", response_class=StreamingResponse)
def export_file(
    request: Request,
    form: Annotated[FileForm, Query(alias="format")] = FileForm.CSV,
    language: Spoken = Language.ZH,
) -> StreamingResponse:
    """Write what is published as a table, or as DCAT-AP for other catalogues."""
    held = ExitStack()
    parts, principal = parts_of(request), principal_of(request)
    path = held.enter_context(catalogue_files.exported(parts, principal, form, language))
    name = f'attachment; filename="{path.name}"'
    return StreamingResponse(_pieces(path, held), 200, {"content-disposition": name}, form.media_type)


def _pieces(path: Path, held: ExitStack) -> Iterator[bytes]:
    with held, path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _made(stored: Stored, status: int = 200) -> Made:
    headers = {"etag": etag_of(stored.lock_version)}
    if status == 201:
        headers["location"] = f"/api/v1/catalogue/entries/{stored.id}"
    return Made(taken_answer(stored), status, headers)


def _report(report: catalogue_files.Report, language: Language) -> ImportAnswer:
    read, done = report.read, report.done
    outcomes = done.outcomes if isinstance(done, Loaded) else {}
    return ImportAnswer(
        imported=report.imported,
        dry_run=report.dry_run,
        fits=report.fits,
        entries=read.entries if isinstance(read, Rejected) else len(read.entries),
        rows=read.rows,
        outcomes={each.value: outcomes.get(each, 0) for each in Outcome},
        problems=_lines(read, language) if isinstance(read, Rejected) else [],
        clashes=_clashes(done, language) if isinstance(done, NotLoaded) else [],
    )


def _lines(read: Rejected, language: Language) -> list[LineAnswer]:
    return [
        LineAnswer(
            rule=each.problem.rule.value,
            row=each.row,
            column=each.column,
            entry=each.entry,
            value=each.problem.shown,
            what=each.problem.what(language),
            remedy=each.problem.remedy(language),
        )
        for each in read.found
    ]


def _clashes(done: NotLoaded, language: Language) -> list[ClashAnswer]:
    found = []
    for each in done.clashes:
        what, remedy = clash_in_words(each.against, each.other, language)
        found.append(
            ClashAnswer(
                number=each.number,
                code=each.code,
                name=each.name,
                against=each.against.value,
                what=what,
                remedy=remedy,
            )
        )
    return found
