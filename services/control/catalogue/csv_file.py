"""CSV in and out: UTF-8 or GB 18030 in, told apart by the bytes; out as UTF-8 with a byte order mark."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.control.catalogue.cells import rows_of
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import Field, label
from services.control.catalogue.rules import Rule
from services.control.catalogue.table import FileRefused, Line
from services.control.catalogue.text import guarded
from services.control.catalogue.vocabulary import Language

UTF_8: Final = "utf-8-sig"
GB_18030: Final = "gb18030"
LARGEST_CSV: Final = 256 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(path: Path) -> str:
    """Tell the encoding of a file: UTF-8 if all of it is, else GB 18030 if all of it is.

    Text in GB 18030 is hardly ever valid UTF-8 by chance, and a wrong guess would show in the headings.

    Raises:
        FileRefused: it is neither, or too large.
    """
    if path.stat().st_size > LARGEST_CSV:
        raise FileRefused(Rule.FILE_TOO_LARGE, reason=f"{LARGEST_CSV // 1024 // 1024} MB")
    with path.open("rb") as file:
        if file.read(2) in _UTF_16:
            raise FileRefused(Rule.FILE_ENCODING)
    for encoding in (UTF_8, GB_18030):
        with suppress(UnicodeDecodeError):
            _decode(path, encoding)
            return encoding
    raise FileRefused(Rule.FILE_ENCODING)


def read_csv(path: Path, encoding: str) -> Iterator[Line]:
    """Yield the lines of a file; each is numbered by the row that a spreadsheet shows it in.

    Raises:
        FileRefused: the text is not CSV.
    """
    with path.open(encoding=encoding, newline="") as file:
        reader, number = csv.reader(file, strict=True), 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileRefused(Rule.FILE_UNREADABLE, number, reason=f"not CSV, {error}") from error
            yield Line(number, tuple(cells))


def write_csv(path: Path, entries: Iterable[Entry], language: Language = Language.ZH) -> int:
    """Write a catalogue and return its number of rows; no cell is computed when a spreadsheet opens it."""
    with path.open("w", encoding=UTF_8, newline="") as file:
        writer, rows = csv.writer(file), 0
        writer.writerow(label(field, language) for field in Field)
        for entry in entries:
            for cells in rows_of(entry, language):
                writer.writerow(guarded(cells.get(field, "")) for field in Field)
                rows += 1
    return rows


def _decode(path: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
    decoder.decode(b"", final=True)
