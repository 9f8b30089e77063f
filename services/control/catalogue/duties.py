"""Who must collect what: the responsibility list (requirement A2-08) and what is collected twice (A5-04)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from services.control.catalogue.entry import Entry, EntryItem, ResourceCode, owner_of
from services.control.catalogue.text import comparable
from services.control.catalogue.vocabulary import Cycle

TECHNICAL: Final = frozenset(
    comparable(name)
    for name in ("序号", "编号", "备注", "更新时间", "创建时间", "状态", "时间戳", "说明", "数据来源")
)
"""Items that every resource may have for itself: to have them in two is no second collection."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One item that a department must collect, and how fresh it must be kept."""

    department: str
    code: ResourceCode | None
    entry: str
    item: str
    key: bool
    update_cycle: Cycle | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is collected."""

    department: str
    code: ResourceCode | None
    entry: str
    item: str


@dataclass(frozen=True, slots=True)
class DoubleCollection:
    """One item that several departments collect; ``item`` as the first of them calls it."""

    item: str
    places: tuple[Place, ...]


def responsibility_list(entries: Iterable[Entry]) -> dict[str, tuple[Duty, ...]]:
    """Split a catalogue into what each department must collect, by department and then by entry.

    An item belongs to its owner, also where another department's entry carries it.
    """
    duties: dict[str, list[Duty]] = {}
    for entry, item in _items(entries):
        duty = Duty(owner_of(item, entry), entry.code, entry.name, item.name, item.key, entry.update_cycle)
        duties.setdefault(duty.department, []).append(duty)
    return {name: tuple(each) for name, each in sorted(duties.items())}


def double_collections(
    entries: Iterable[Entry], technical: frozenset[str] = TECHNICAL
) -> tuple[DoubleCollection, ...]:
    """Find items that several departments collect.

    Names that differ by width, case, spaces or punctuation only are the same. Keys are left out: each
    department needs them to say of whom it speaks. Whether two items of one name are one fact, people decide.

    Args:
        entries: the catalogue.
        technical: comparable names that do not count.
    """
    found: dict[str, list[Place]] = {}
    for entry, item in _items(entries):
        name = comparable(item.name)
        if name and not item.key and name not in technical:
            place = Place(owner_of(item, entry), entry.code, entry.name, item.name)
            found.setdefault(name, []).append(place)
    return tuple(
        DoubleCollection(places[0].item, tuple(places))
        for places in found.values()
        if len({place.department for place in places}) > 1
    )


def _items(entries: Iterable[Entry]) -> Iterator[tuple[Entry, EntryItem]]:
    return ((entry, item) for entry in entries for item in entry.items)
