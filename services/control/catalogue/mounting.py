"""The catalogue beside the bus: entries without a topic, topics without an entry, and where they differ.

Requirements A2-11 (目录有数据) and A2-12 (瞒报、漏报).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.control.catalogue.entry import Entry, ResourceCode, read_code
from services.control.catalogue.text import comparable
from topics.event import ResourceId
from topics.resource import Resource


class Mount(StrEnum):
    """How an entry, or a resource, stands."""

    FRESH = "fresh"
    STALE = "stale"
    """Its last event is older than its update cycle allows."""
    EMPTY = "empty"
    """It has a topic, and nothing ever came."""
    NO_TOPIC = "no_topic"
    NO_ENTRY = "no_entry"


class Differing(StrEnum):
    """In what an entry and its resource do not agree."""

    NAME = "name"
    PROVIDER = "provider"
    SHARE_TYPE = "share_type"
    UPDATE_CYCLE = "update_cycle"
    ITEM_WITHOUT_TOPIC = "item_without_topic"
    ITEM_WITHOUT_ENTRY = "item_without_entry"


@dataclass(frozen=True, slots=True)
class Difference:
    """What the entry says and what the definition says; None where one of them says nothing."""

    resource: ResourceId
    code: ResourceCode
    what: Differing
    entry: str | None
    definition: str | None


@dataclass(frozen=True, slots=True)
class Mounted:
    """How catalogue and definitions agree; whoever has no code that can be read cannot be matched."""

    matched: tuple[tuple[ResourceCode, ResourceId], ...]
    without_topic: tuple[Entry, ...]
    without_entry: tuple[Resource, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether everything has its counterpart and says the same."""
        return not (self.without_topic or self.without_entry or self.differences)


def compare(
    entries: Iterable[Entry], resources: Iterable[Resource], provider_names: Mapping[str, str]
) -> Mounted:
    """Compare a catalogue with the definitions of the bus, by resource code.

    Args:
        entries: the catalogue.
        resources: the newest versions, or several: each needs the entry of its code.
        provider_names: Chinese name of each provider by its id.
    """
    by_code = {entry.code: entry for entry in entries if entry.code is not None}
    uncoded = [entry for entry in entries if entry.code is None]
    matched: list[tuple[ResourceCode, ResourceId]] = []
    without_entry: list[Resource] = []
    differences: list[Difference] = []
    for resource in resources:
        code = read_code(resource.code)
        if code is None or code not in by_code:
            without_entry.append(resource)
            continue
        matched.append((code, resource.id))
        differences.extend(_differences(by_code[code], code, resource, provider_names))
    had = {code for code, _ in matched}
    alone = (*(entry for code, entry in by_code.items() if code not in had), *uncoded)
    return Mounted(tuple(matched), alone, tuple(without_entry), tuple(differences))


def _differences(
    entry: Entry, code: ResourceCode, resource: Resource, provider_names: Mapping[str, str]
) -> Iterator[Difference]:
    said: tuple[tuple[Differing, str | None, str], ...] = (
        (Differing.NAME, entry.name, resource.titles.zh),
        (Differing.PROVIDER, entry.provider.name, provider_names.get(resource.provider, resource.provider)),
        (Differing.SHARE_TYPE, entry.sharing.share_type.value, resource.share_type.value),
        (
            Differing.UPDATE_CYCLE,
            entry.update_cycle.value if entry.update_cycle else None,
            resource.update_cycle.value,
        ),
    )
    for what, in_entry, declared in said:
        if comparable(in_entry or "") != comparable(declared):
            yield Difference(resource.id, code, what, in_entry, declared)
    yield from _item_differences(entry, code, resource)


def _item_differences(entry: Entry, code: ResourceCode, resource: Resource) -> Iterator[Difference]:
    in_entry = {comparable(item.name): item.name for item in entry.items}
    declared = {comparable(item.titles.zh): item.titles.zh for item in resource.items}
    for name in (each for each in in_entry if each not in declared):
        yield Difference(resource.id, code, Differing.ITEM_WITHOUT_TOPIC, in_entry[name], None)
    for name in (each for each in declared if each not in in_entry):
        yield Difference(resource.id, code, Differing.ITEM_WITHOUT_ENTRY, None, declared[name])
