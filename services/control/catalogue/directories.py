"""The views that are published of one catalogue: what is shared, what is open, what is not shared and why.

Requirements A2-10 (a share directory and an open directory) and A3-07 (others see why something is not
shared). None of them holds the named persons of an entry.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from io import StringIO
from typing import Any, Final

from services.control.catalogue.cells import entry_cells
from services.control.catalogue.csv_file import UTF_8
from services.control.catalogue.entry import Entry, EntryItem
from services.control.catalogue.fields import Field, label
from services.control.catalogue.text import guarded
from services.control.catalogue.vocabulary import Language, OpenType
from topics.resource import ShareType


class Directory(StrEnum):
    """Which view."""

    SHARE = "share"
    OPEN = "open"
    NOT_SHARED = "not_shared"


_SAID_OF_ALL: Final = (Field.CODE, Field.NAME, Field.PROVIDER, Field.PROVIDER_CODE, Field.SUMMARY)
FIELDS: Final[Mapping[Directory, tuple[Field, ...]]] = {
    Directory.SHARE: (
        *_SAID_OF_ALL,
        Field.FORMAT_CLASS,
        Field.ITEM_NAME,
        Field.SHARE_TYPE,
        Field.SHARE_CONDITION,
        Field.SHARE_MODE,
        Field.SHARE_USE,
        Field.BASIS_LEVEL,
        Field.BASIS,
        Field.UPDATE_CYCLE,
        Field.PUBLISHED_ON,
    ),
    Directory.OPEN: (
        *_SAID_OF_ALL,
        Field.FORMAT_CLASS,
        Field.ITEM_NAME,
        Field.OPEN_TYPE,
        Field.OPEN_CONDITION,
        Field.UPDATE_CYCLE,
        Field.PUBLISHED_ON,
    ),
    Directory.NOT_SHARED: (*_SAID_OF_ALL, Field.SHARE_CONDITION, Field.BASIS_LEVEL, Field.BASIS),
}
"""The columns of each view; the items stand in one cell."""
_OPEN: Final = frozenset({OpenType.UNCONDITIONAL, OpenType.CONDITIONAL})
_BETWEEN_ITEMS: Final = {Language.ZH: "；", Language.EN: "; "}


def belongs(entry: Entry, directory: Directory) -> bool:
    """Whether a published entry stands in a view: what is not shared is never open, whatever it says."""
    shared = entry.sharing.share_type is not ShareType.NOT_SHARED
    match directory:
        case Directory.SHARE:
            return shared
        case Directory.OPEN:
            return shared and entry.opening.open_type in _OPEN
        case Directory.NOT_SHARED:
            return not shared


def directory_of(entries: Iterable[Entry], directory: Directory) -> Iterator[Entry]:
    """Those published entries that stand in a view."""
    return (entry for entry in entries if belongs(entry, directory))


def line_of(entry: Entry, directory: Directory, language: Language = Language.ZH) -> dict[str, Any]:
    """What a view says of an entry: words of the guide by the fields' names, items one by one."""
    cells = entry_cells(entry, language)
    return {
        each.value: [item.name for item in _items(entry, directory)]
        if each is Field.ITEM_NAME
        else cells[each]
        for each in FIELDS[directory]
    }


def csv_lines(
    entries: Iterable[Entry], directory: Directory, language: Language = Language.ZH
) -> Iterator[bytes]:
    """A view as CSV in UTF-8 with a byte order mark, line by line; no cell computes anything."""
    yield _row(label(each, language) for each in FIELDS[directory]).encode(UTF_8)
    for entry in directory_of(entries, directory):
        items = _BETWEEN_ITEMS[language].join(item.name for item in _items(entry, directory))
        cells = line_of(entry, directory, language) | {Field.ITEM_NAME.value: items}
        yield _row(guarded(cells[each.value]) for each in FIELDS[directory]).encode()


def _items(entry: Entry, directory: Directory) -> tuple[EntryItem, ...]:
    return entry.items if Field.ITEM_NAME in FIELDS[directory] else ()


def _row(cells: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
