"""An entry with everything around it: which version is seen, where its data goes, how fresh it really is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.control.cases.words import State
from services.control.catalogue.cells import entry_cells, rows_of
from services.control.catalogue.entry import Entry, read_code
from services.control.catalogue.fields import COLUMNS, ENTRY_FIELDS, ITEM_FIELDS, Field, label
from services.control.catalogue.lifecycle import Version
from services.control.catalogue.vocabulary import Language, read, word
from services.control.definitions import Definitions
from services.control.store import snapshots
from services.control.store.cases.listing import CaseLine, Wish, newest
from services.control.store.catalogue.dossiers import EntryId, Stored, by_id
from services.control.store.snapshots import Kind
from topics.names import canonical
from topics.resource import Resource

GIVING = (State.ACTIVE, State.SUSPENDED, State.PROVISIONING)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a resource on the bus, with the moment at which it was."""

    as_of: datetime
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Mount:
    """A resource of the bus under an entry's code."""

    resource: Resource
    topic: str
    seen: Observed | None
    cases: tuple[CaseLine, ...]
    """Under which departments receive it now, as far as the reader may see them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A field of an entry in two versions."""

    field: str
    before: str
    after: str


def visible(stored: Stored, principal: Principal, department: str | None) -> Version | None:
    """The version that a person sees: the newest where unpublished ones are seen, else what is published."""
    whose = Whose(provider=department)
    if isinstance(may_person(principal, Action.CATALOGUE_LOOK_UNPUBLISHED, whose), Allowed):
        return stored.dossier.versions[-1]
    return stored.dossier.published


def stored_entry(connection: Connection, id_: UUID) -> Stored | None:
    """The entry of an id."""
    return by_id(connection, EntryId(id_))


def mounts_of(
    connection: Connection, entry: Entry, definitions: Definitions, principal: Principal
) -> tuple[Mount, ...]:
    """The resources of the bus under an entry's code, with what was seen of them."""
    return tuple(
        Mount(
            resource=each,
            topic=canonical(each.id),
            seen=_seen(connection, each),
            cases=tuple(_giving(connection, each, principal)),
        )
        for each in _resources(entry, definitions)
    )


def resource_of(entry: Entry, definitions: Definitions) -> Resource | None:
    """The newest resource under an entry's code: the one that is applied for."""
    found = _resources(entry, definitions)
    return max(found, key=lambda each: each.version, default=None)


def differences(before: Entry, after: Entry, language: Language) -> list[Line]:
    """In which fields two versions differ, items one by one."""
    old, new = _flat(before), _flat(after)
    places = sorted(old.keys() | new.keys(), key=lambda each: (_ORDER[each[0]], each[1]))
    return [
        Line(
            label(field, language),
            in_language(field, old.get((field, place), ""), language),
            in_language(field, new.get((field, place), ""), language),
        )
        for field, place in places
        if old.get((field, place), "") != new.get((field, place), "")
    ]


def facts_of(entry: Entry, language: Language) -> list[tuple[str, str]]:
    """What an entry says of itself, by the words of the table's columns."""
    cells = entry_cells(entry)
    return [
        (label(field, language), in_language(field, cells[field], language))
        for field in ENTRY_FIELDS
        if cells[field]
    ]


def in_language(field: Field, text: str, language: Language) -> str:
    """The text of a cell; values of closed lists in the language of the reader."""
    values = COLUMNS[field].values
    value = read(values, text) if values is not None and text else None
    return text if value is None else word(value, language)


_ORDER = {field: place for place, field in enumerate(Field)}


def _flat(entry: Entry) -> dict[tuple[Field, int], str]:
    """Each cell of an entry's rows by field and, for items, by place."""
    found = {(field, 0): text for field, text in entry_cells(entry).items() if text}
    for place, cells in enumerate(rows_of(entry)):
        found |= {(field, place): cells[field] for field in ITEM_FIELDS if cells.get(field)}
    return found


def _resources(entry: Entry, definitions: Definitions) -> Sequence[Resource]:
    if entry.code is None:
        return ()
    return [each for each in definitions.resources.values() if read_code(each.code) == entry.code]


def _seen(connection: Connection, resource: Resource) -> Observed | None:
    found = snapshots.one(connection, Kind.RESOURCE, resource.id)
    return None if found is None else Observed(found.as_of, found.document)


def _giving(connection: Connection, resource: Resource, principal: Principal) -> Iterable[CaseLine]:
    for state in GIVING:
        for line in newest(connection, Wish(state=state, resource=resource.id), limit=50):
            whose = Whose(provider=line.provider, consumer=line.consumer)
            if isinstance(may_person(principal, Action.CASE_LOOK, whose), Allowed):
                yield line
