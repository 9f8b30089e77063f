"""Excel in and out: streamed both ways; nothing that a hostile file holds is expanded or computed."""

import re
import zipfile
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import openpyxl
import xlsxwriter
from openpyxl.packaging.manifest import Manifest
from openpyxl.xml.constants import ARC_CONTENT_TYPES, WORKSHEET_TYPE
from openpyxl.xml.functions import fromstring
from xlsxwriter.exceptions import XlsxFileError

from services.control.catalogue.cells import rows_of
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import COLUMNS, Field, Form, label
from services.control.catalogue.rules import Rule
from services.control.catalogue.table import Cell, CellKind, FileRefused, Line, Typed
from services.control.catalogue.text import guarded
from services.control.catalogue.vocabulary import Language, word

SHEET: Final = "目录"
_SHEETS_WRITTEN: Final = {Language.ZH: SHEET, Language.EN: "Catalogue"}
"""What the sheet is called; without one called 目录 the first is read."""
LARGEST_XLSX: Final = 100 * 1024 * 1024
_MB: Final = 1024 * 1024
_MOST_FILES: Final = 1000
_LARGEST_SHEETS: Final = 1024 * _MB
_MOST_TEXTS: Final = 200_000
"""Different texts of a workbook: of a hundred thousand rows, two each that no other row has."""
_LARGEST_REST: Final = _MOST_TEXTS * 80
"""Bytes of everything but sheets, which is read as a whole: above all the shared texts, 80 bytes each."""
_MOST_TAGS: Final = _MOST_TEXTS * 4
"""Tags therein, four for a text: the time to read it goes by their number, however small they are."""
_CHUNK: Final = 1 << 16
_SHEETS: Final = "xl/worksheets/"
_MOST_CELLS: Final = 50_000_000
"""Empty cells between filled ones count: a sheet of a few bytes may claim to be millions wide."""
_ESCAPED: Final = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")
"""How Excel writes an underline that begins what would be read as an escaped character."""
_LONGEST_LIST: Final = 255


class TooMuchForExcel(ValueError):  # noqa: N818 - says what the caller must do
    """Excel's limits are passed: write CSV, or divide the catalogue."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that is read, its lines, and the names of those that are not."""

    name: str
    lines: Generator[Line, None, None]
    others: tuple[str, ...]
    close: Callable[[], None]


def open_xlsx(path: Path) -> Sheet:
    """Open the sheet 目录, or the first one.

    Raises:
        FileRefused: it is no Excel file, or one that would not fit into memory.
    """
    if not openpyxl.DEFUSEDXML:
        # Switched off by OPENPYXL_DEFUSEDXML, or not installed: entities would be expanded.
        raise FileRefused(Rule.FILE_UNREADABLE, reason="openpyxl runs without defusedxml")
    _check_archive(path)
    try:
        # Formulas stay visible as such: a value that a spreadsheet computed long ago is nobody's statement.
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # openpyxl raises whatever a malformed file leads it to
        raise _unreadable(error) from error
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        book.close()
        raise FileRefused(Rule.FILE_UNREADABLE, reason="no sheet of cells in it")
    name = SHEET if SHEET in names else names[0]
    others = tuple(each for each in names if each != name)
    return Sheet(name, _lines(book[name]), others, book.close)


def write_xlsx(path: Path, entries: Iterable[Entry], language: Language = Language.ZH) -> int:
    """Write a catalogue and return its number of rows; row by row, so that memory does not grow with it.

    Raises:
        TooMuchForExcel: a text or the number of rows.
        OSError: the file cannot be written.
    """
    settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    rows = 0
    try:
        # Opened before the workbook is begun, which else leaves a temporary file behind; closing removes it.
        with path.open("wb") as file, xlsxwriter.Workbook(file, settings) as book:
            sheet = book.add_worksheet(_SHEETS_WRITTEN[language])
            _prepare(book, sheet, language)
            for entry in entries:
                for cells in rows_of(entry, language):
                    rows += 1
                    for position, field in enumerate(Field):
                        _write(sheet, rows, position, field, cells.get(field, ""))
    except XlsxFileError as error:
        raise OSError(str(error)) from error
    return rows


def _write(sheet: Any, row: int, position: int, field: Field, text: str) -> None:
    if not text:
        return
    if COLUMNS[field].form is Form.NUMBER:
        refused = sheet.write_number(row, position, int(text))
    else:
        refused = sheet.write_string(row, position, guarded(text))
    if refused:
        # XlsxWriter would cut the text, or leave the row out.
        raise TooMuchForExcel(f"row {row + 1}: {label(field)} does not fit into a sheet of Excel")


def _prepare(book: Any, sheet: Any, language: Language) -> None:
    """Headings, text as the form of every other column, and the closed lists to choose from."""
    text, heading = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "text_wrap": True})
    for position, field in enumerate(Field):
        column = COLUMNS[field]
        sheet.set_column(position, position, column.width, None if column.form is Form.NUMBER else text)
        values = [] if column.values is None else [word(each, language) for each in column.values]
        if values and len(",".join(values)) <= _LONGEST_LIST:
            choice = {"validate": "list", "source": values, "error_type": "warning"}
            sheet.data_validation(1, position, 1_048_575, position, choice)
    sheet.freeze_panes(1, 0)
    for position, field in enumerate(Field):
        sheet.write_string(0, position, label(field, language), heading)


def _lines(sheet: Any) -> Generator[Line, None, None]:
    # What a file says of its own size is not to be trusted.
    sheet.reset_dimensions()
    rows, cells = sheet.iter_rows(), 0
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # as above
            raise _unreadable(error, number) from error
        cells += len(row)
        if cells > _MOST_CELLS:
            raise FileRefused(Rule.FILE_TOO_LARGE, number, reason=f"{_MOST_CELLS} cells")
        yield Line(number, tuple(_cell(each) for each in row))


def _cell(cell: Any) -> Cell:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return Typed(CellKind.FORMULA, str(value))
    if isinstance(value, str):
        return _ESCAPED.sub("_", value) if kind != "e" else Typed(CellKind.OTHER, value)
    if isinstance(value, datetime | date):
        return Typed(CellKind.DATE, _day(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, float) and value.is_integer()
        return Typed(CellKind.NUMBER, str(int(value)) if whole else str(value))
    return Typed(CellKind.OTHER, str(value))


def _day(value: date) -> str:
    is_midnight = isinstance(value, datetime) and value.time() == value.min.time()
    return value.date().isoformat() if isinstance(value, datetime) and is_midnight else value.isoformat()


def _check_archive(path: Path) -> None:
    """Refuse what would take too long or too much memory, before any of it is parsed.

    Sizes are those that the archive states; reading stops at them, so they cannot be understated. Tags are
    counted while unpacking. A part counts as a sheet only where it is declared as one.
    """
    if path.stat().st_size > LARGEST_XLSX:
        raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"{LARGEST_XLSX // _MB} MB")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive.infolist())
            _check_tags(archive)
            _check_sheets(archive)
    except FileRefused:
        raise
    except Exception as error:  # whatever a malformed archive leads zipfile and zlib to
        raise _unreadable(error) from error


def _check_sizes(infos: Sequence[zipfile.ZipInfo]) -> None:
    sheets = sum(each.file_size for each in infos if each.filename.startswith(_SHEETS))
    rest = sum(each.file_size for each in infos) - sheets
    if len(infos) > _MOST_FILES:
        raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"{len(infos)} parts")
    if sheets > _LARGEST_SHEETS:
        raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"{sheets // _MB} MB of cells")
    if rest > _LARGEST_REST:
        raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"{rest // _MB} MB beside the cells, above all texts")


def _check_tags(archive: zipfile.ZipFile) -> None:
    tags = 0
    for info in archive.infolist():
        if info.filename.startswith(_SHEETS):
            continue
        with archive.open(info) as part:
            while chunk := part.read(_CHUNK):
                tags += chunk.count(b"<")
                if tags > _MOST_TAGS:
                    raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"more than {_MOST_TEXTS} texts")


def _check_sheets(archive: zipfile.ZipFile) -> None:
    """Shared texts that stand among the sheets would escape the bounds of what is read as a whole."""
    declared = Manifest.from_tree(fromstring(archive.read(ARC_CONTENT_TYPES))).Override
    if any(each.PartName[1:].startswith(_SHEETS) and each.ContentType != WORKSHEET_TYPE for each in declared):
        raise FileRefused(Rule.FILE_UNREADABLE, reason="something else than a sheet stands among the sheets")


def _unreadable(error: Exception, row: int | None = None) -> FileRefused:
    # Only the kind: the text of such an error may repeat anything that stands in the file.
    return FileRefused(Rule.FILE_UNREADABLE, row, reason=f"no Excel workbook, {type(error).__name__}")
