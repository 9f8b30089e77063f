"""What became of each canonical topic's schema; the registry is asked only where a new one is in force."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from schemas.registry import RegistryRefused, RegistryUnavailable, SchemaNotFound
from services.control.catalogue.schema_steps import Registered, step_between, steps_within
from services.control.store.snapshots import Document
from topics.event import ResourceId
from topics.names import value_subject
from topics.policy import Policy, ResourcePolicy

KEPT: Final = 20
"""So many steps of one resource are kept, the newest."""
MOST: Final = 50
"""So many resources are asked about in a round; the others' turn is in the next."""
_KEYS: Final = ("schema_ids", "schema_steps")

Versions = Callable[[str], Sequence[Registered]]
"""The registered versions of a subject, the oldest first."""


def schema_documents(
    policy: Policy, known: Mapping[str, Document], versions: Versions
) -> dict[str, dict[str, Any]]:
    """What the snapshots of resources say of schemas.

    Args:
        policy: the newest version.
        known: the snapshots of the round before; what they say stays as long as the policy names the ids
            that it was made of, and while the registry does not answer.
        versions: asks the registry.
    """
    before = _predecessors(policy)
    found = {id_: _kept(known.get(id_, {})) for id_ in policy.resources}
    due = [id_ for id_ in found if found[id_].get("schema_ids") != _ids(policy.resources[id_], before[id_])]
    for id_ in due[:MOST]:
        try:
            found[id_] = _document(policy.resources[id_], before[id_], versions)
        except (SchemaNotFound, RegistryRefused):
            # Stays due: the ids of the policy still differ from those that are kept.
            continue
        except RegistryUnavailable:
            break
    return {str(id_): document for id_, document in found.items()}


def _kept(document: Document) -> dict[str, Any]:
    return {key: document[key] for key in _KEYS if key in document}


def _document(entry: ResourcePolicy, before: ResourcePolicy | None, versions: Versions) -> dict[str, Any]:
    steps = list(steps_within(versions(value_subject(entry.resource.canonical_topic))))
    if before is not None:
        steps.insert(0, step_between(before, entry))
    return {"schema_ids": _ids(entry, before), "schema_steps": [each.document() for each in steps[-KEPT:]]}


def _ids(*made_of: ResourcePolicy | None) -> list[int]:
    """The ids of the schemas that a document is made of."""
    return [int(each.canonical_value_schema_id) for each in made_of if each is not None]


def _predecessors(policy: Policy) -> dict[ResourceId, ResourcePolicy | None]:
    """The version of each resource before it, where both are applied."""
    found: dict[ResourceId, ResourcePolicy | None] = {}
    newest: dict[tuple[str, str], ResourcePolicy] = {}
    for id_, entry in sorted(policy.resources.items(), key=lambda each: each[1].resource.version):
        name = entry.resource.domain, entry.resource.name
        found[id_] = newest.get(name)
        newest[name] = entry
    return found
