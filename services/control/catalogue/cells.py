"""An entry as the texts of a table's cells, field by field; the reading side is in reading.py."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from services.control.catalogue.entry import Entry, EntryItem, ResourceCode
from services.control.catalogue.fields import COLUMNS, ENTRY_FIELDS, ITEM_FIELDS, Field
from services.control.catalogue.vocabulary import Language, YesNo, read, word

RELATED_SEPARATOR: Final = "; "


def entry_cells(entry: Entry, language: Language = Language.ZH) -> dict[Field, str]:
    """The cells of what is said of the entry; the words of closed lists in a language."""
    return {each: in_language(each, _ENTRY[each](entry), language) for each in ENTRY_FIELDS}


def item_cells(item: EntryItem, language: Language = Language.ZH) -> dict[Field, str]:
    """The cells of one item."""
    return {each: in_language(each, _ITEM[each](item), language) for each in ITEM_FIELDS}


def rows_of(entry: Entry, language: Language = Language.ZH) -> Iterator[dict[Field, str]]:
    """One row for each item; what is said of the entry stands on the first, its name and code on all.

    An entry without items has one row. With name and code on every row, a filter hides no row's entry.
    """
    whole = entry_cells(entry, language)
    repeated = {each: whole[each] for each in (Field.NAME, Field.CODE)}
    for index, item in enumerate(entry.items or (EntryItem(),)):
        yield {**(whole if index == 0 else repeated), **(item_cells(item, language) if entry.items else {})}


def in_language(field: Field, text: str, language: Language) -> str:
    """The official text of a cell, words of closed lists in the language of a reader."""
    values = COLUMNS[field].values
    if language is Language.ZH or values is None or not text:
        return text
    value = read(values, text)
    return text if value is None else word(value, language)


def _word(value: StrEnum | None) -> str:
    return "" if value is None else word(value)


def _part(name: str) -> Callable[[Entry], str]:
    return lambda entry: "" if entry.code is None else str(getattr(entry.code, name))


def _code(code: ResourceCode | None) -> str:
    return "" if code is None else str(code)


def _yes(said: bool) -> str:
    return word(YesNo.YES if said else YesNo.NO)


_ENTRY: Final[Mapping[Field, Callable[[Entry], str]]] = {
    Field.KIND: _part("kind"),
    Field.SECTION: _part("section"),
    Field.HEADING: _part("heading"),
    Field.DETAIL: _part("detail"),
    Field.NAME: lambda entry: entry.name,
    Field.CODE: lambda entry: _code(entry.code),
    Field.PROVIDER: lambda entry: entry.provider.name,
    Field.PROVIDER_CODE: lambda entry: entry.provider.credit_code,
    Field.SUMMARY: lambda entry: entry.summary,
    Field.FORMAT_CLASS: lambda entry: _word(entry.form.format_class),
    Field.FORMAT_TYPE: lambda entry: entry.form.sub_type,
    Field.SHARE_TYPE: lambda entry: _word(entry.sharing.share_type),
    Field.SHARE_CONDITION: lambda entry: entry.sharing.condition,
    Field.SHARE_MODE: lambda entry: _word(entry.sharing.mode),
    Field.OPEN_TYPE: lambda entry: _word(entry.opening.open_type),
    Field.OPEN_CONDITION: lambda entry: entry.opening.condition,
    Field.UPDATE_CYCLE: lambda entry: _word(entry.update_cycle),
    Field.PUBLISHED_ON: lambda entry: entry.published_on.isoformat() if entry.published_on else "",
    Field.RELATED: lambda entry: RELATED_SEPARATOR.join(map(str, entry.related)),
    Field.NAME_EN: lambda entry: entry.name_en,
    Field.RESOURCE_CLASS: lambda entry: _word(entry.resource_class),
    Field.LIBRARY: lambda entry: _word(entry.library),
    Field.SHARE_USE: lambda entry: _word(entry.sharing.use),
    Field.BASIS_LEVEL: lambda entry: _word(entry.sharing.basis_level),
    Field.BASIS: lambda entry: entry.sharing.basis,
    Field.LICENSING: lambda entry: _yes(entry.licensing),
    Field.HEAD_NAME: lambda entry: entry.contacts.head.name,
    Field.HEAD_PHONE: lambda entry: entry.contacts.head.phone,
    Field.DEPUTY_NAME: lambda entry: entry.contacts.deputy.name,
    Field.DEPUTY_PHONE: lambda entry: entry.contacts.deputy.phone,
    Field.CLERK_NAME: lambda entry: entry.contacts.clerk.name,
    Field.CLERK_PHONE: lambda entry: entry.contacts.clerk.phone,
}
_ITEM: Final[Mapping[Field, Callable[[EntryItem], str]]] = {
    Field.ITEM_NAME: lambda item: item.name,
    Field.ITEM_TYPE: lambda item: _word(item.item_type),
    Field.ITEM_LENGTH: lambda item: "" if item.length is None else str(item.length),
    Field.ITEM_NAME_EN: lambda item: item.name_en,
    Field.ITEM_KEY: lambda item: _yes(item.key),
    Field.ITEM_SENSITIVITY: lambda item: _word(item.sensitivity),
    Field.ITEM_GRADE: lambda item: _word(item.grade),
    Field.ITEM_OWNER: lambda item: item.owner,
}
