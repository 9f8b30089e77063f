"""Catalogues as files, by their suffix: .csv or .xlsx; a file is written whole or not at all."""

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.control.catalogue.csv_file import encoding_of, read_csv, write_csv
from services.control.catalogue.entry import Entry
from services.control.catalogue.importing import Imported, Progress, Rejected, import_lines
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.table import FileRefused
from services.control.catalogue.vocabulary import Language
from services.control.catalogue.xlsx_file import open_xlsx, write_xlsx

_WRITERS: Final[dict[str, Callable[[Path, Iterable[Entry], Language], int]]] = {
    ".csv": write_csv,
    ".xlsx": write_xlsx,
}
SUFFIXES: Final = tuple(_WRITERS)


class NameAFile(ValueError):  # noqa: N818 - says what the caller must do
    """The suffix says no form that catalogues have: name a .csv or .xlsx file."""


@dataclass(frozen=True, slots=True)
class Source:
    """What was read: the encoding of a CSV file, or the sheet and those that were left alone."""

    form: str
    encoding: str | None = None
    sheet: str | None = None
    other_sheets: tuple[str, ...] = ()


def read_catalogue(
    path: Path, rules: CatalogueRules, progress: Progress = lambda _row: None
) -> tuple[Imported | Rejected, Source]:
    """Read a file: a complete catalogue, or everything that is wrong with it.

    Raises:
        NameAFile: the suffix is neither .csv nor .xlsx.
        OSError: the file cannot be opened.
    """
    form = _form(path)
    try:
        if form == ".csv":
            encoding = encoding_of(path)
            return import_lines(read_csv(path, encoding), rules, progress), Source("csv", encoding)
        sheet = open_xlsx(path)
    except FileRefused as error:
        return Rejected((error.found,)), Source(form[1:])
    try:
        with closing(sheet.lines):
            read = import_lines(sheet.lines, rules, progress)
    finally:
        sheet.close()
    return read, Source("xlsx", sheet=sheet.name, other_sheets=sheet.others)


def write_catalogue(path: Path, entries: Iterable[Entry], language: Language = Language.ZH) -> int:
    """Write a catalogue and return its number of rows; what stood there before stays until it is complete.

    The official form is Chinese. Headings and words of closed lists in English are read as well.

    Raises:
        NameAFile: the suffix is neither .csv nor .xlsx.
        OSError: the file cannot be written.
    """
    write = _WRITERS[_form(path)]
    return write_whole(path, lambda draft: write(draft, entries, language))


def write_whole(path: Path, write: Callable[[Path], int]) -> int:
    """Let a file be written beside its place and put it there once it is complete; what `write` counts.

    Raises:
        OSError: the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        rows = write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return rows


def _form(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise NameAFile(f"{path.name} is neither {' nor '.join(SUFFIXES)}")
    return suffix
