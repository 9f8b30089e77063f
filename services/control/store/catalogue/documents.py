"""An entry as a document and rows of items, and back, field by field: what comes back is what went in."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row

from services.control.catalogue.entry import (
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
from topics.resource import ShareType

Document = Mapping[str, Any]
Member = TypeVar("Member", bound=StrEnum)


def document_of(entry: Entry) -> dict[str, Any]:
    """What an entry says, but for its items."""
    sharing, contacts = entry.sharing, entry.contacts
    return {
        "code": None if entry.code is None else str(entry.code),
        "name": entry.name,
        "name_en": entry.name_en,
        "provider": {"name": entry.provider.name, "credit_code": entry.provider.credit_code},
        "summary": entry.summary,
        "format": {"class": entry.form.format_class, "type": entry.form.sub_type},
        "sharing": {
            "type": sharing.share_type,
            "condition": sharing.condition,
            "mode": sharing.mode,
            "use": sharing.use,
            "basis_level": sharing.basis_level,
            "basis": sharing.basis,
        },
        "opening": {"type": entry.opening.open_type, "condition": entry.opening.condition},
        "update_cycle": entry.update_cycle,
        "published_on": None if entry.published_on is None else entry.published_on.isoformat(),
        "related": [str(code) for code in entry.related],
        "resource_class": entry.resource_class,
        "library": entry.library,
        "licensing": entry.licensing,
        "contacts": {
            name: {"name": each.name, "phone": each.phone}
            for name, each in (
                ("head", contacts.head),
                ("deputy", contacts.deputy),
                ("clerk", contacts.clerk),
            )
        },
    }


def entry_of(document: Document, items: Iterable[EntryItem]) -> Entry:
    """The entry that a document and its items say.

    Raises:
        ValueError: the document holds a word or a code that nobody knows.
    """
    day = document["published_on"]
    return Entry(
        code=None if document["code"] is None else _code(document["code"]),
        name=document["name"],
        provider=Department(document["provider"]["name"], document["provider"]["credit_code"]),
        summary=document["summary"],
        form=Format(_known(FormatClass, document["format"]["class"]), document["format"]["type"]),
        items=tuple(items),
        sharing=_sharing(document["sharing"]),
        opening=Opening(_known(OpenType, document["opening"]["type"]), document["opening"]["condition"]),
        update_cycle=_known(Cycle, document["update_cycle"]),
        published_on=None if day is None else date.fromisoformat(day),
        related=tuple(_code(each) for each in document["related"]),
        name_en=document["name_en"],
        resource_class=_known(ResourceClass, document["resource_class"]),
        library=_known(Library, document["library"]),
        licensing=document["licensing"],
        contacts=Contacts(*(_contact(document["contacts"][name]) for name in ("head", "deputy", "clerk"))),
    )


def item_values(item: EntryItem) -> dict[str, Any]:
    """An item as the columns of its row."""
    return {
        "name": item.name,
        "item_type": item.item_type,
        "length": item.length,
        "name_en": item.name_en,
        "is_key": item.key,
        "sensitivity": item.sensitivity,
        "grade": item.grade,
        "owner": item.owner,
    }


def item_of(row: Row[Any]) -> EntryItem:
    """The item of a row."""
    return EntryItem(
        row.name,
        _known(ItemType, row.item_type),
        row.length,
        row.name_en,
        row.is_key,
        _known(Sensitivity, row.sensitivity),
        _known(Grade, row.grade),
        row.owner,
    )


def _sharing(said: Document) -> Sharing:
    return Sharing(
        ShareType(said["type"]),
        said["condition"],
        _known(ShareMode, said["mode"]),
        _known(Use, said["use"]),
        _known(BasisLevel, said["basis_level"]),
        said["basis"],
    )


def _contact(said: Document) -> Contact:
    return Contact(said["name"], said["phone"])


def _known(kind: type[Member], word: str | None) -> Member | None:
    return None if word is None else kind(word)


def _code(text: str) -> ResourceCode:
    found = read_code(text)
    if found is None:
        raise ValueError("the store holds a resource code that is none")
    return found
