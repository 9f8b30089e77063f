"""What became of the schemas of an entry's topics, as pages and the API show it.

Whoever may not look at the provider's operation is told of the items alone that the entry names and the
resource has: what the entry leaves out is between the provider and those who watch over him (requirement
A2-12), and of an item that is gone nobody can tell any more whether an entry named it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.uses import catalogue
from services.api.uses.reach import sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.catalogue.entry import Entry, read_code
from services.control.catalogue.lifecycle import Dossier, Version
from services.control.catalogue.schema_steps import Step, limited, read
from services.control.catalogue.text import comparable
from services.control.definitions import Definitions
from services.control.store import snapshots
from services.control.store.snapshots import Kind, Trouble
from topics.resource import Resource


@dataclass(frozen=True, slots=True)
class Found:
    """The resources under an entry with the steps of their schemas; of when, None before any look."""

    resources: tuple[tuple[Resource, tuple[Step, ...]], ...]
    as_of: datetime | None
    trouble: Trouble | None


def of_entry(parts: Parts, principal: Principal, entry: str) -> Found:
    """The steps of one entry, by its id or its code.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    shown = catalogue.shown(parts, principal, entry)
    seen = seen_version(shown.stored.dossier, whole=shown.whole).entry
    resources = resources_of(seen, parts.definitions)
    with parts.database.reading() as connection:
        looked = snapshots.some_of(connection, Kind.RESOURCE, [each.id for each in resources])
    return Found(
        tuple((each, steps_of(principal, seen, each, looked.documents.get(each.id))) for each in resources),
        looked.as_of,
        looked.trouble,
    )


def steps_of(
    principal: Principal, entry: Entry, resource: Resource, document: Mapping[str, Any] | None
) -> tuple[Step, ...]:
    """The steps of one resource as somebody may see them, the newest first.

    Args:
        principal: who looks.
        entry: the entry under which the resource is declared.
        resource: whose schema it is.
        document: what the collector saw of the resource; None where it saw nothing.
    """
    steps = read((document or {}).get("schema_steps", ()))[::-1]
    if sees(principal, Action.OPERATION_LOOK, Whose(provider=resource.provider)):
        return steps
    named = {comparable(each.name) for each in entry.items}
    shown = {each.name for each in resource.items if comparable(each.titles.zh) in named}
    return tuple(limited(each, shown) for each in steps)


def resources_of(entry: Entry, definitions: Definitions) -> Sequence[Resource]:
    """The resources that are declared under an entry's code, the newest version last."""
    if entry.code is None:
        return ()
    found = [each for each in definitions.resources.values() if read_code(each.code) == entry.code]
    return sorted(found, key=lambda each: each.version)


def seen_version(dossier: Dossier, *, whole: bool) -> Version:
    """The newest version for whoever sees all of them, else the published one.

    Raises:
        AnswerProblem: none is published.
    """
    version = dossier.versions[-1] if whole else dossier.published
    if version is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return version
