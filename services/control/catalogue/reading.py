"""Reads the texts of a table's cells as an entry; what is not understood is said, and nothing is guessed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from services.control.catalogue.checks import Place
from services.control.catalogue.entry import (
    CLASS_OF_DIGIT,
    Contact,
    Contacts,
    Department,
    Entry,
    EntryItem,
    Format,
    Opening,
    ResourceCode,
    Sharing,
    read_code,
)
from services.control.catalogue.fields import COLUMNS, ITEM_FIELDS, Field
from services.control.catalogue.problems import Problem, choices
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import (
    BasisLevel,
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Library,
    OpenType,
    ResourceClass,
    Sensitivity,
    ShareMode,
    Use,
    YesNo,
    read,
)
from topics.identity.text import normalise
from topics.resource import ShareType

Cells = Mapping[Field, str]
Member = TypeVar("Member", bound=StrEnum)

_SHORTEST: Final = 6
"""Digits of 类, 项 and 目 together."""
_SEPARATORS: Final = str.maketrans(dict.fromkeys("；;，,、\n", " "))
_DATE_SIGNS: Final = str.maketrans({"年": "-", "月": "-", "日": "", "/": "-", ".": "-"})


def read_entry(cells: Cells, items: Sequence[Cells]) -> tuple[Entry, list[Problem]]:
    """Read an entry.

    Args:
        cells: what is said of the entry.
        items: what is said of each item.

    Returns:
        The entry as far as it could be understood, and what could not.
    """
    reader = _Reader(cells, None)
    code = reader.code()
    read_items = [_Reader(of_item, index) for index, of_item in enumerate(items)]
    entry = Entry(
        code=code,
        name=reader.text(Field.NAME),
        provider=Department(reader.text(Field.PROVIDER), normalise(reader.text(Field.PROVIDER_CODE))),
        summary=reader.text(Field.SUMMARY),
        form=Format(reader.choice(Field.FORMAT_CLASS, FormatClass), reader.text(Field.FORMAT_TYPE)),
        items=tuple(_item(each) for each in read_items),
        sharing=_sharing(reader),
        opening=Opening(reader.choice(Field.OPEN_TYPE, OpenType), reader.text(Field.OPEN_CONDITION)),
        update_cycle=reader.choice(Field.UPDATE_CYCLE, Cycle),
        published_on=reader.date(Field.PUBLISHED_ON),
        related=reader.codes(Field.RELATED),
        name_en=reader.text(Field.NAME_EN),
        resource_class=_class(reader, code),
        library=reader.choice(Field.LIBRARY, Library),
        licensing=reader.choice(Field.LICENSING, YesNo) is YesNo.YES,
        contacts=_contacts(reader),
    )
    return entry, [problem for each in (reader, *read_items) for problem in each.problems]


def places(problems: Iterable[Problem]) -> frozenset[Place]:
    """Where something could not be understood."""
    return frozenset((problem.field, problem.item) for problem in problems if problem.field is not None)


def is_item_row(cells: Cells) -> bool:
    """Whether a row says anything of an item."""
    return any(cells.get(field) for field in ITEM_FIELDS)


def _item(reader: "_Reader") -> EntryItem:
    return EntryItem(
        name=reader.text(Field.ITEM_NAME),
        item_type=reader.choice(Field.ITEM_TYPE, ItemType),
        length=reader.number(Field.ITEM_LENGTH),
        name_en=reader.text(Field.ITEM_NAME_EN),
        key=reader.choice(Field.ITEM_KEY, YesNo) is YesNo.YES,
        sensitivity=reader.choice(Field.ITEM_SENSITIVITY, Sensitivity),
        grade=reader.choice(Field.ITEM_GRADE, Grade),
        owner=reader.text(Field.ITEM_OWNER),
    )


def _sharing(reader: "_Reader") -> Sharing:
    return Sharing(
        # An empty cell is the default of requirement A3-02; one that is not understood is a problem.
        share_type=reader.choice(Field.SHARE_TYPE, ShareType) or ShareType.UNCONDITIONAL,
        condition=reader.text(Field.SHARE_CONDITION),
        mode=reader.choice(Field.SHARE_MODE, ShareMode),
        use=reader.choice(Field.SHARE_USE, Use),
        basis_level=reader.choice(Field.BASIS_LEVEL, BasisLevel),
        basis=reader.text(Field.BASIS),
    )


def _contacts(reader: "_Reader") -> Contacts:
    return Contacts(
        head=Contact(reader.text(Field.HEAD_NAME), reader.text(Field.HEAD_PHONE)),
        deputy=Contact(reader.text(Field.DEPUTY_NAME), reader.text(Field.DEPUTY_PHONE)),
        clerk=Contact(reader.text(Field.CLERK_NAME), reader.text(Field.CLERK_PHONE)),
    )


def _class(reader: "_Reader", code: ResourceCode | None) -> ResourceClass | None:
    """The class as it is written; where nothing is, the first digit of the code says it."""
    if reader.text(Field.RESOURCE_CLASS) or code is None:
        return reader.choice(Field.RESOURCE_CLASS, ResourceClass)
    return CLASS_OF_DIGIT.get(code.kind)


class _Reader:
    """The cells of an entry or of one item, and what of them could not be understood."""

    def __init__(self, cells: Cells, item: int | None) -> None:
        self.problems: list[Problem] = []
        self._cells, self._item = cells, item

    def text(self, field: Field) -> str:
        """The text as it is."""
        return self._cells.get(field, "")

    def choice(self, field: Field, kind: type[Member]) -> Member | None:
        """The value of a closed list."""
        text = self.text(field)
        found = read(kind, text) if text else None
        if text and found is None:
            self._wrong(Rule.VALUE_UNKNOWN, field, text, choices(kind))
        return found

    def number(self, field: Field) -> int | None:
        """A whole number from 1."""
        text = normalise(self.text(field))
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= COLUMNS[field].longest and int(text):
            return int(text)
        self._wrong(Rule.NOT_A_NUMBER, field, self.text(field))
        return None

    def date(self, field: Field) -> date | None:
        """A date as people write it: 2026-11-26, 2026/11/26, 2026年11月26日, 20261126."""
        text = normalise(self.text(field)).translate(_DATE_SIGNS)
        if not text:
            return None
        found = _date_of(text.split("-") if "-" in text else [text[:4], text[4:6], text[6:]])
        if found is None:
            self._wrong(Rule.NOT_A_DATE, field, self.text(field))
        return found

    def codes(self, field: Field) -> tuple[ResourceCode, ...]:
        """Several resource codes, with any separator between them."""
        found = [(part, read_code(part)) for part in self.text(field).translate(_SEPARATORS).split()]
        for part, code in found:
            if code is None:
                self._wrong(_code_rule(part), field, part)
        return tuple(code for _, code in found if code is not None)

    def code(self) -> ResourceCode | None:
        """The resource code; 类, 项, 目 and 细目 beside it must say the same or nothing."""
        text = self.text(Field.CODE)
        code = read_code(text)
        if code is None:
            if text:
                self._wrong(_code_rule(text), Field.CODE, text)
            return None
        for field, part in _parts(code):
            said = normalise(self.text(field))
            if said and said != part and not (field is Field.KIND and _names_class(said, part)):
                self._wrong(Rule.CODE_PARTS_DIFFER, field, self.text(field), {"other": part or "-"})
        return code

    def _wrong(self, rule: Rule, field: Field, value: str, facts: Mapping[str, str] | None = None) -> None:
        self.problems.append(Problem(rule, field, value, self._item, facts or {}))


def _parts(code: ResourceCode) -> Iterator[tuple[Field, str]]:
    yield Field.KIND, code.kind
    yield Field.SECTION, code.section
    yield Field.HEADING, code.heading
    yield Field.DETAIL, code.detail


def _names_class(said: str, digit: str) -> bool:
    """Whether 类 is given by its name instead of its digit."""
    meant = CLASS_OF_DIGIT.get(digit)
    return meant is not None and read(ResourceClass, said) is meant


def _code_rule(text: str) -> Rule:
    bare = normalise(text).replace("-", "").replace(" ", "")
    classification, _, sequence = bare.partition("/")
    digits = all(character.isascii() and character.isdigit() for character in classification + sequence)
    too_short = len(classification) < _SHORTEST or not sequence
    return Rule.CODE_TOO_SHORT if digits and too_short else Rule.CODE_MALFORMED


def _date_of(parts: Sequence[str]) -> date | None:
    """The date of year, month and day; None if there is none such."""
    if [len(parts), len(parts[0])] != [3, 4] or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None
