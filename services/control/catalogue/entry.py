"""What a catalogue entry is: the core metadata of the guide 发改高技〔2017〕1272号 (requirement A13).

An entry may be incomplete while it is a draft: what nobody has filled in is None or empty, and the checks
say what is missing. No value of it is ever guessed.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

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
)
from topics.identity.text import normalise
from topics.resource import ShareType

CLASS_OF_DIGIT: Final = {"1": ResourceClass.BASIC, "2": ResourceClass.THEME, "3": ResourceClass.DEPARTMENT}
_CODE: Final = re.compile(
    r"(?P<kind>\d)(?P<section>\d{2})(?P<heading>\d{3})(?P<detail>\d*)/(?P<sequence>\d+)"
)


@dataclass(frozen=True, slots=True)
class ResourceCode:
    """类 (one digit), 项 (two), 目 (three), 细目 (any number, may be none), and the sequence after "/"."""

    kind: str
    section: str
    heading: str
    detail: str
    sequence: str

    @property
    def classification(self) -> str:
        """The part before the "/"."""
        return f"{self.kind}{self.section}{self.heading}{self.detail}"

    def __str__(self) -> str:
        return f"{self.classification}/{self.sequence}"


def read_code(text: str) -> ResourceCode | None:
    """The code in a text, None if it is none; hyphens between its parts and full-width forms are accepted."""
    found = _CODE.fullmatch(normalise(text).replace("-", "").replace(" ", ""))
    return ResourceCode(**found.groupdict()) if found else None


@dataclass(frozen=True, slots=True)
class Department:
    """A department by its name and its unified social credit code."""

    name: str = ""
    credit_code: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who answers for an entry."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Contacts:
    """The three named persons of a unit (requirement A1-08)."""

    head: Contact = Contact()
    """第一责任人"""
    deputy: Contact = Contact()
    """分管负责人"""
    clerk: Contact = Contact()
    """专人"""


@dataclass(frozen=True, slots=True)
class Format:
    """The form in which a resource lies with its provider."""

    format_class: FormatClass | None = None
    sub_type: str = ""


@dataclass(frozen=True, slots=True)
class EntryItem:
    """One item of a resource; ``owner`` is the department that collects it, the provider where empty."""

    name: str = ""
    item_type: ItemType | None = None
    length: int | None = None
    name_en: str = ""
    key: bool = False
    sensitivity: Sensitivity | None = None
    grade: Grade | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who may have it, on which condition and basis; unconditional unless said otherwise (A3-02)."""

    share_type: ShareType = ShareType.UNCONDITIONAL
    condition: str = ""
    mode: ShareMode | None = None
    use: Use | None = None
    basis_level: BasisLevel | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether the public may have it; for less than unconditional the condition states the basis (A10-02)."""

    open_type: OpenType | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource as its department describes it."""

    code: ResourceCode | None = None
    name: str = ""
    provider: Department = Department()
    summary: str = ""
    form: Format = Format()
    items: tuple[EntryItem, ...] = ()
    sharing: Sharing = field(default_factory=Sharing)
    opening: Opening = field(default_factory=Opening)
    update_cycle: Cycle | None = None
    published_on: date | None = None
    related: tuple[ResourceCode, ...] = ()
    name_en: str = ""
    resource_class: ResourceClass | None = None
    library: Library | None = None
    licensing: bool = False
    """Whether it belongs to administrative licensing or joint approval, which is shared unconditionally."""
    contacts: Contacts = Contacts()


def owner_of(item: EntryItem, entry: Entry) -> str:
    """The name of the department that collects an item."""
    return item.owner or entry.provider.name
