"""Writing an entry: a form with the columns of the official table, and the steps of its life."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.etags import etag_of
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.api.uses import catalogue
from services.api.uses.reach import own
from services.control.accounts.actions import Action as Permission
from services.control.cases.words import Problem as CaseProblem
from services.control.catalogue.cells import entry_cells, item_cells
from services.control.catalogue.checks import entry_problems
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import COLUMNS, ENTRY_FIELDS, ITEM_FIELDS, Field, Form, label
from services.control.catalogue.lifecycle import Action
from services.control.catalogue.problems import Problem
from services.control.catalogue.reading import Cells, is_item_row, places, read_entry
from services.control.catalogue.vocabulary import word
from services.control.store.catalogue.accepting import rules_now
from services.control.store.errors import ReadAgain
from services.portal.forms import Form as Fields
from services.portal.forms import go, text
from services.portal.languages import tongue_of
from services.portal.pages.catalogue import NAMED, show
from services.portal.rendering import page, problems_in
from services.portal.uses.acting import seen_of

router = APIRouter(include_in_schema=False)
_SPARE: Final = 3
"""Empty rows for further items."""
_MOST_ITEMS: Final = 500
_FIXED: Final = frozenset({Field.PROVIDER, Field.PROVIDER_CODE, Field.PUBLISHED_ON})
"""What the department and the day of publication say, whatever is typed."""
_DERIVED: Final = frozenset({Field.KIND, Field.SECTION, Field.HEADING, Field.DETAIL})
"""Parts of the code."""
_ITS_OWN: Final = (Field.CODE, Field.NAME)
"""What no two entries have in common."""
_NO_DAY: Final = CaseProblem("FORM", "changed_on", "this is no day", "write it as 2026-09-18")
WRITTEN: Final = tuple(each for each in ENTRY_FIELDS if each not in _FIXED | _DERIVED)


@router.get("/catalogue/new")
def new_page(request: Request, like: str = "") -> Response:
    """An empty form, or one with what another entry of the department says, but for its code and name."""
    parts, principal = parts_of(request), asker_of(request).principal
    require(request, Permission.CATALOGUE_OPEN, own(principal))
    if not like:
        return _form(request, {}, [])
    found = catalogue.shown(parts, principal, like)
    require(request, Permission.CATALOGUE_OPEN, found.whose)
    entry = found.stored.dossier.versions[-1].entry
    cells = {**entry_cells(entry), **dict.fromkeys(_ITS_OWN, "")}
    return _form(request, cells, [item_cells(each) for each in entry.items])


@router.post("/catalogue/new")
def open_entry(request: Request, form: Fields) -> Response:
    """Begin an entry as a draft, complete or not."""
    parts, principal = parts_of(request), asker_of(request).principal
    require(request, Permission.CATALOGUE_OPEN, own(principal))
    cells, items = _cells(form)
    entry, unread = read_entry(cells, items)
    if unread:
        return _form(request, cells, items, unread, status=Code.INVALID.status)
    try:
        with parts.database.begin() as connection:
            stored = catalogue.opened(parts, principal, connection, entry)
    except ReadAgain:
        return _form(request, cells, items, taken=True, status=Code.REFUSED.status)
    return go(f"/catalogue/entries/{stored.id}")


@router.get("/catalogue/entries/{entry}/edit")
def edit_page(request: Request, entry: str) -> Response:
    """The draft in its form, with what the rules would say of it."""
    found = _editable(request, entry)
    draft = found.stored.dossier.versions[-1].entry
    items = [item_cells(each) for each in draft.items]
    return _form(request, entry_cells(draft), items, list(_broken(request, draft)), found)


@router.post("/catalogue/entries/{entry}/edit")
def edit_entry(request: Request, entry: str, form: Fields) -> Response:
    """Replace the content of the draft; what cannot be read is said, and nothing typed is lost."""
    parts, principal = parts_of(request), asker_of(request).principal
    found = _editable(request, entry)
    cells, items = _cells(form)
    after, unread = read_entry(cells, items)
    if unread:
        return _form(request, cells, items, unread, found, status=Code.INVALID.status)
    try:
        stored = catalogue.edited(parts, principal, found.stored.id, after, etag_of(seen_of(form)))
    except ReadAgain:
        return _form(request, cells, items, [], found, taken=True, status=Code.REFUSED.status)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _form(request, cells, items, [], found, refused=error, status=error.code.status)
    if text(form, "then") == "check":
        return go(f"/catalogue/entries/{stored.id}/edit")
    return go(f"/catalogue/entries/{stored.id}")


@router.post("/catalogue/entries/{entry}/steps/{action}")
def take_step(request: Request, entry: str, action: Action, form: Fields) -> Response:
    """Take an entry a step further; what the rules say against it is shown on its page."""
    parts, principal = parts_of(request), asker_of(request).principal
    found = catalogue.shown(parts, principal, entry)
    name = found.stored.dossier.versions[-1].entry.name
    if action in NAMED and text(form, "confirm") != name:
        return show(request, entry, failed=action, unconfirmed=True)
    seen = etag_of(seen_of(form))
    try:
        with parts.database.begin() as connection:
            id_, why = found.stored.id, text(form, "why")
            changed = _day(text(form, "changed_on")) if action is Action.REVISE else None
            filing = text(form, "filing")
            catalogue.stepped(parts, principal, connection, id_, action, why, seen, changed, filing)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return show(request, entry, error, action)
    return go(f"/catalogue/entries/{found.stored.id}")


def _day(typed: str) -> date | None:
    """A day as a field of a form brings it; None where nothing was typed.

    Raises:
        AnswerProblem: it is none.
    """
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise AnswerProblem(Code.INVALID, [_NO_DAY]) from error


def _editable(request: Request, entry: str) -> catalogue.Shown:
    """An entry whose draft the asker may write.

    Raises:
        AnswerProblem: there is none, it may not be written, or it is no draft.
    """
    principal = asker_of(request).principal
    found = catalogue.shown(parts_of(request), principal, entry)
    require(request, Permission.CATALOGUE_EDIT, found.whose)
    if Action.EDIT not in catalogue.possible(principal, found):
        raise AnswerProblem(Code.WRONG_STATE)
    return found


def _cells(form: FormData) -> tuple[dict[Field, str], list[dict[Field, str]]]:
    """The cells that a form holds, as a table would; rows without anything are left out."""
    cells = {each: text(form, each.value) for each in WRITTEN}
    rows = []
    for number in range(_MOST_ITEMS):
        if f"item.{number}.{Field.ITEM_NAME.value}" not in form:
            break
        row = {each: text(form, f"item.{number}.{each.value}") for each in ITEM_FIELDS}
        if is_item_row({field: value for field, value in row.items() if COLUMNS[field].values is None}):
            rows.append(row)
    return cells, rows


def _broken(request: Request, entry: Entry) -> Sequence[Problem]:
    """What would stand against a review of the draft."""
    parts = parts_of(request)
    with parts.database.reading() as connection:
        rules = rules_now(connection, parts.catalogue_rules)
    return list(entry_problems(entry, rules, places([])))


def _form(
    request: Request,
    cells: Cells,
    items: Sequence[Cells],
    problems: Sequence[Problem] = (),
    found: catalogue.Shown | None = None,
    *,
    taken: bool = False,
    refused: AnswerProblem | None = None,
    status: int = 200,
) -> Response:
    language = tongue_of(request).language
    return page(
        request,
        "catalogue/edit.html",
        status,
        cells=cells,
        items=[*items, *({} for _ in range(_SPARE))],
        problems=problems,
        found=found,
        taken=taken,
        refused=() if refused is None else problems_in(request, refused),
        written=WRITTEN,
        item_fields=ITEM_FIELDS,
        columns=COLUMNS,
        Kind=Form,
        label=lambda field: label(field, language),
        choices=_choices(request),
        language=language,
    )


def _choices(request: Request) -> Mapping[Field, list[tuple[str, str]]]:
    """What can be chosen in a field: the official word that is kept, and the one that is shown."""
    language = tongue_of(request).language
    return {
        field: [(word(value), word(value, language)) for value in column.values]
        for field, column in COLUMNS.items()
        if column.values is not None
    }
