"""An entry's draft from the needs that it is for: their name and every item that one of them names."""

from collections.abc import Sequence

from services.control.catalogue.entry import Department, Entry, EntryItem
from services.control.catalogue.text import comparable
from services.control.demand.need import Need


def draft_of(needs: Sequence[Need], provider: Department) -> Entry:
    """A draft that holds what is known; all else is for its department to fill in.

    Args:
        needs: for the same data, at least one; the first one names it.
        provider: whose entry it will be.
    """
    names: dict[str, str] = {}
    for need in needs:
        for item in need.opening.items:
            names.setdefault(comparable(item), item)
    items = tuple(EntryItem(name=each) for each in names.values())
    return Entry(name=needs[0].subject, provider=provider, items=items)
