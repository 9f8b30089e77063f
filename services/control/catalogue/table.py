"""A table on its way in: lines of cells under headings, whatever kind of file they come from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.control.catalogue.fields import COLUMNS, CORE, Field, Form, by_label
from services.control.catalogue.problems import Problem
from services.control.catalogue.rules import Rule
from services.control.catalogue.text import tidy, unguarded

_HEADING_WITHIN: Final = 10
"""Lines in which the headings are looked for: titles and notes may stand above them."""
_RECOGNISED: Final = 5


class CellKind(StrEnum):
    """What a spreadsheet may hold beside text."""

    NUMBER = "a number"
    DATE = "a date"
    FORMULA = "a formula"
    OTHER = "no text"


_KINDS_ZH: Final = {CellKind.NUMBER: "数字", CellKind.DATE: "日期", CellKind.OTHER: "非文本"}


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell that is no text, and the text that it shows."""

    kind: CellKind
    text: str


Cell = str | Typed


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file; ``number`` counts from 1 as spreadsheets do."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A problem with its place: row and column count from 1, ``entry`` is the code or name of the entry."""

    problem: Problem
    row: int | None = None
    column: int | None = None
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row under the headings: the fields that are filled, and the cells that could not be taken."""

    number: int
    cells: Mapping[Field, str]
    found: tuple[Found, ...] = ()


class FileRefused(Exception):  # noqa: N818 - says which rule the file breaks
    """The file as a whole cannot be read."""

    def __init__(self, rule: Rule, row: int | None = None, **facts: str) -> None:
        super().__init__(rule)
        self.found = Found(Problem(rule, facts=facts), row)


@dataclass(frozen=True, slots=True)
class Headings:
    """Which field each column holds, and what is wrong with the headings."""

    fields: tuple[Field | None, ...]
    row: int
    found: tuple[Found, ...]

    def column(self, field: Field | None) -> int | None:
        """The position of a field's column, from 1."""
        return self.fields.index(field) + 1 if field is not None and field in self.fields else None

    @property
    def absent(self) -> frozenset[Field]:
        """Fields that every table must have and this one has not."""
        return CORE - {field for field in self.fields if field is not None}


def find_headings(lines: Iterator[Line]) -> Headings:
    """Read lines until the one that names the columns.

    Raises:
        FileRefused: none of the first lines does.
    """
    for count, line in enumerate(lines, start=1):
        recognised = {by_label(_shown(cell)) for cell in line.cells} - {None}
        if len(recognised) >= _RECOGNISED:
            return _headings(line)
        if count >= _HEADING_WITHIN:
            break
    raise FileRefused(Rule.HEADING_NOT_FOUND)


def rows_under(headings: Headings, lines: Iterable[Line]) -> Iterator[Row]:
    """Yield each line that is not empty as a row of fields."""
    for line in lines:
        cells: dict[Field, str] = {}
        found: list[Found] = []
        for index, cell in enumerate(line.cells):
            if not cell or not _shown(cell):
                continue
            field = headings.fields[index] if index < len(headings.fields) else None
            problem = _cell_problem(field, cell, _is_named(headings, index))
            if problem is not None:
                found.append(Found(problem, line.number, index + 1))
            elif field is not None and headings.column(field) == index + 1:
                cells[field] = _shown(cell)
        if cells or found:
            yield Row(line.number, cells, tuple(found))


def _headings(line: Line) -> Headings:
    texts = [_shown(cell) for cell in line.cells]
    fields = tuple(by_label(text) if text else None for text in texts)
    found = [
        Found(problem, line.number, index + 1)
        for index, (text, field) in enumerate(zip(texts, fields, strict=True))
        if (problem := _heading_problem(text, field, fields[:index])) is not None
    ]
    headings = Headings(fields, line.number, ())
    missing = [
        Found(Problem(Rule.HEADING_MISSING, field), line.number) for field in _ordered(headings.absent)
    ]
    # An unknown column has no field: its cells are not taken, and the heading is the problem.
    return Headings(tuple(fields), line.number, (*missing, *found))


def _ordered(fields: frozenset[Field]) -> list[Field]:
    return [field for field in Field if field in fields]


def _heading_problem(text: str, field: Field | None, before: tuple[Field | None, ...]) -> Problem | None:
    if text and field is None:
        return Problem(Rule.HEADING_UNKNOWN, value=text)
    if field is not None and field in before:
        return Problem(Rule.HEADING_TWICE, field, text)
    return None


def _is_named(headings: Headings, index: int) -> bool:
    """Whether the column has a heading, be it an unknown one, of which enough was said there."""
    return any(each.row == headings.row and each.column == index + 1 for each in headings.found)


def _cell_problem(field: Field | None, cell: Cell, named: bool) -> Problem | None:
    if field is None:
        return None if named else Problem(Rule.CELL_BESIDE, value=_shown(cell))
    if isinstance(cell, str):
        return None
    if cell.kind is CellKind.FORMULA:
        return Problem(Rule.CELL_FORMULA, field, cell.text)
    if cell.kind in _accepted(field):
        return None
    facts: dict[str, Any] = {"found": cell.kind.value, "found_zh": _KINDS_ZH[cell.kind]}
    return Problem(Rule.CELL_NOT_TEXT, field, cell.text, facts=facts)


def _accepted(field: Field) -> frozenset[CellKind]:
    column = COLUMNS[field]
    if column.form is Form.DATE:
        return frozenset({CellKind.DATE})
    is_counted = column.form is Form.NUMBER or column.values is not None
    return frozenset({CellKind.NUMBER}) if is_counted else frozenset()


def _shown(cell: Cell) -> str:
    return unguarded(tidy(cell)) if isinstance(cell, str) else cell.text
