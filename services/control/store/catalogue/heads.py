"""The row by which an entry is listed and found: what its shown version says, and where it stands."""

from enum import StrEnum
from typing import Any, Final

from services.control.catalogue.entry import Entry
from services.control.catalogue.lifecycle import Dossier, Version
from services.control.catalogue.search import initials, search_text
from services.control.catalogue.text import comparable

_AFTER_ALL_CODES: Final = "~"


def shown(dossier: Dossier) -> Version:
    """The version that counts; the newest where none is published."""
    return dossier.published or dossier.versions[-1]


def head_of(dossier: Dossier) -> dict[str, Any]:
    """The columns of a row, but for id and lock version."""
    version, published = shown(dossier), dossier.published
    return {
        "code": None if version.entry.code is None else str(version.entry.code),
        "department": dossier.department,
        "state": dossier.versions[-1].state.value,
        "newest": dossier.versions[-1].number,
        "published": None if published is None else published.number,
        "shown": version.number,
        "opened_at": dossier.steps[0].when,
        "changed_at": dossier.steps[-1].when,
        **_said(version.entry),
    }


def _said(entry: Entry) -> dict[str, Any]:
    name = comparable(entry.name)
    return {
        "name": entry.name,
        "provider": entry.provider.name,
        "provider_code": entry.provider.credit_code,
        "resource_class": _word(entry.resource_class),
        "library": _word(entry.library),
        "share_type": entry.sharing.share_type.value,
        "open_type": _word(entry.opening.open_type),
        "update_cycle": _word(entry.update_cycle),
        "format_class": _word(entry.form.format_class),
        "item_count": len(entry.items),
        "sort_key": f"{_AFTER_ALL_CODES}{name}" if entry.code is None else str(entry.code),
        "name_key": name,
        "name_initials": initials(entry.name),
        "search_text": search_text(entry),
    }


def _word(value: StrEnum | None) -> str | None:
    return None if value is None else value.value
