"""A published entry with the resource that is mounted under it: what a case may be about, and how far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.control.catalogue.entry import Entry
from services.control.catalogue.text import comparable
from services.control.catalogue.vocabulary import Grade
from topics.resource import Resource, ShareType
from topics.schema_rules import ItemForm

_NARROWER: Final = (ShareType.UNCONDITIONAL, ShareType.CONDITIONAL, ShareType.NOT_SHARED)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A published entry and its resource."""

    entry: Entry
    resource: Resource
    forms: Mapping[str, ItemForm]
    """The types of the resource's items."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What stages of clocks ask for, such as ``on_platform``: whether the data is on the platform already."""

    @property
    def code(self) -> str:
        """The entry's resource code."""
        return self.resource.code if self.entry.code is None else str(self.entry.code)

    @property
    def governed(self) -> Resource:
        """The resource as the catalogue lets it be shared."""
        return governed(self.entry, self.resource)

    @property
    def grades(self) -> Mapping[str, Grade]:
        """The grades that the entry gives to items of the resource, by their names."""
        given = {comparable(each.name): each.grade for each in self.entry.items}
        found = {item.name: given.get(comparable(item.titles.zh)) for item in self.resource.items}
        return {name: grade for name, grade in found.items() if grade is not None}


def governed(entry: Entry, resource: Resource) -> Resource:
    """A resource narrowed to what its published entry lists and allows.

    Of two share types the narrower counts. An item that the entry does not list cannot be had.
    """
    listed = {comparable(item.name) for item in entry.items}
    items = tuple(item for item in resource.items if comparable(item.titles.zh) in listed)
    names = {item.name for item in items}
    share = max(entry.sharing.share_type, resource.share_type, key=_NARROWER.index)
    basis = entry.sharing.basis or entry.sharing.condition or resource.share_basis
    scope = tuple(name for name in resource.scope_items if name in names)
    changes = {"items": items, "share_type": share, "share_basis": basis, "scope_items": scope}
    return resource.model_copy(update=changes)
