"""An entry with what stands around it: where its data goes, how fresh it is, what a version changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.api.parts import Parts
from services.api.uses import schemas
from services.api.uses.reach import sees, visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import State
from services.control.catalogue.cells import entry_cells, in_language, rows_of
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import ENTRY_FIELDS, ITEM_FIELDS, Field, label
from services.control.catalogue.schema_steps import Step
from services.control.catalogue.vocabulary import Language
from services.control.definitions import Definitions
from services.control.retirements.plan import Retirement
from services.control.retirements.words import State as Ending
from services.control.store import snapshots
from services.control.store.cases.listing import CaseLine, Wish, newest
from services.control.store.retirements.reading import of_resources
from services.control.store.snapshots import Kind
from topics.names import canonical
from topics.resource import Resource
from topics.schema_breaks import Break, breaks
from topics.schema_rules import item_forms

GIVING = (State.ACTIVE, State.SUSPENDED, State.PROVISIONING)
"""States of cases under which data is given, or will be in a moment."""
_MOST_CASES = 50
_ORDER = {field: place for place, field in enumerate(Field)}


@dataclass(frozen=True, slots=True)
class Mount:
    """A resource of the bus under an entry's code; what was seen of it, and when; who receives it."""

    resource: Resource
    topic: str
    seen: Mapping[str, Any] | None
    as_of: datetime | None
    steps: tuple[Step, ...]
    """What became of its schema, the newest step first."""
    cases: tuple[CaseLine, ...]
    """As far as the reader may see them."""
    ending: Retirement | None
    """How it ends, or ended; None where it stays."""
    broken: tuple[Break, ...]
    """What of it its successor breaks for readers, where it ends."""
    successors: tuple[tuple[str, str], ...]
    """Newer versions by which it could be followed, as a form offers them."""
    may_retire: bool
    """Whether the reader may announce its end, or change one that is planned."""


@dataclass(frozen=True, slots=True)
class Line:
    """A field of an entry in two versions."""

    field: str
    before: str
    after: str


def mounts_of(parts: Parts, principal: Principal, entry: Entry) -> tuple[Mount, ...]:
    """The resources of the bus under an entry's code."""
    visible = visible_to(parts, principal, Action.CASE_LOOK)
    resources = schemas.resources_of(entry, parts.definitions)
    with parts.database.reading() as connection:
        seen = snapshots.some_of(connection, Kind.RESOURCE, [each.id for each in resources])
        endings = of_resources(connection, [each.id for each in resources])
        return tuple(
            Mount(
                resource=each,
                topic=canonical(each.id),
                seen=seen.documents.get(each.id),
                as_of=seen.as_of,
                steps=schemas.steps_of(principal, entry, each, seen.documents.get(each.id)),
                cases=tuple(
                    line
                    for state in GIVING
                    for line in newest(
                        connection,
                        Wish(state=state, resource=each.id, visible_to=visible),
                        limit=_MOST_CASES,
                    )
                ),
                ending=endings.get(each.id),
                broken=_broken(endings.get(each.id), parts.definitions),
                successors=successors_of(each, parts.definitions),
                may_retire=_may_retire(parts, principal, each, endings.get(each.id)),
            )
            for each in resources
        )


def successors_of(resource: Resource, definitions: Definitions) -> tuple[tuple[str, str], ...]:
    """Declared newer versions of a resource, value and text of a choice."""
    same = (each for each in definitions.resources.values() if _base(each) == _base(resource))
    newer = sorted((each for each in same if each.version > resource.version), key=lambda each: each.version)
    return tuple((each.id, each.id) for each in newer)


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
    cells = entry_cells(entry, language)
    return [(label(field, language), cells[field]) for field in ENTRY_FIELDS if cells[field]]


def _base(resource: Resource) -> tuple[str, str]:
    return resource.domain, resource.name


def _broken(ending: Retirement | None, definitions: Definitions) -> tuple[Break, ...]:
    schemas = definitions.item_schemas
    if ending is None or ending.new not in schemas:
        return ()
    return breaks(item_forms(schemas[ending.old]), item_forms(schemas[ending.new]))


def _may_retire(parts: Parts, principal: Principal, resource: Resource, ending: Retirement | None) -> bool:
    """Where there is something to decide: a newer version is there, or a plan stands."""
    if not sees(principal, Action.CATALOGUE_RETIRE, Whose(provider=resource.provider)):
        return False
    if ending is not None:
        return ending.state is Ending.PLANNED
    return bool(successors_of(resource, parts.definitions))


def _flat(entry: Entry) -> dict[tuple[Field, int], str]:
    """Each cell of an entry's rows by field and, for items, by place."""
    found = {(field, 0): text for field, text in entry_cells(entry).items() if text}
    for place, cells in enumerate(rows_of(entry)):
        found |= {(field, place): cells[field] for field in ITEM_FIELDS if cells.get(field)}
    return found
