"""What grants come from and rely on: files until cases decide, schemas that do not break under them; pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from services.control.definitions import Definitions
from services.control.difference import Refusal
from topics.event import GrantId, ResourceId
from topics.grants.declaration import Grant, GrantState
from topics.policy import Policy
from topics.schema_breaks import Break, breaks
from topics.schema_rules import item_forms

_CASES_DECIDE: Final = (
    "cases decide about grants since `govbus grant import`, and a file would contradict them: take the "
    "folder grants/ out of the definitions (--definitions FOLDER); `govbus case apply` asks for a grant, "
    "`govbus case suspend` and `terminate` stop it"
)

_TOO_EARLY: Final = "it is handed out once, of what is there on a day on which it is in force: apply it from"


def grants_in_force(definitions: Definitions, policy: Policy | None) -> Mapping[GrantId, Grant]:
    """The grants that topics, rights, schemas and sinks are made for."""
    if policy is None or not policy.by_cases:
        return definitions.grants
    return {grant_id: entry.grant for grant_id, entry in policy.grants.items()}


def refused_definitions(
    definitions: Definitions, policy: Policy | None, day: date | None = None
) -> Iterator[Refusal]:
    """What must not be declared: changes in place, grants where cases decide, sinks of no grant.

    Nor, today, a grant that is handed out once and whose days have not come: it would be handed out empty.
    """
    for name, error in definitions.in_place_changes(policy):
        yield Refusal(name, str(error))
    if policy is not None and policy.by_cases and definitions.grants:
        yield Refusal(f"grants {', '.join(sorted(definitions.grants))}", _CASES_DECIDE)
    known = grants_in_force(definitions, policy)
    for id_, each in sorted(definitions.grants.items()):
        if each.once and each.state is GrantState.ACTIVE and day is not None and day < each.valid_from:
            yield Refusal(f"grant {id_}", f"{_TOO_EARLY} {each.valid_from}, or leave it out until then")
    for grant in sorted(set(definitions.sinks) - set(known)):
        yield Refusal(f"sink of {grant}", "there is no such grant: correct sinks.yaml")


def breaking_changes(definitions: Definitions, policy: Policy | None) -> Iterator[Refusal]:
    """What of the declared schemas would break readers of what is granted under the same version.

    An item that no grant shows breaks nobody, nor does one that its grant lets go of in the same apply.
    """
    for resource, broken in _broken(definitions, policy).items():
        new = _next_version(resource, definitions)
        for item, grants in broken.items():
            readers = ", ".join(sorted(grants))
            reason = (
                f"{item}, and readers of {readers} cannot follow that: declare it as {new[0]} beside this "
                f"one, and announce the end of this one: `govbus catalogue retire {resource} --by {new[1]}`"
            )
            yield Refusal(resource, reason)


def unbroken(definitions: Definitions, policy: Policy | None) -> Definitions:
    """The definitions with what is in force instead of what is refused, so that the rest can be compared."""
    broken = _broken(definitions, policy)
    if policy is None or not broken:
        return definitions
    kept = {id_: policy.resources[id_] for id_ in broken}
    schemas = {id_: json.loads(entry.item_schema) for id_, entry in kept.items()}
    return replace(
        definitions,
        resources={**definitions.resources, **{id_: entry.resource for id_, entry in kept.items()}},
        item_schemas={**definitions.item_schemas, **schemas},
    )


def _broken(definitions: Definitions, policy: Policy | None) -> dict[ResourceId, dict[Break, list[GrantId]]]:
    """Each break by its resource, with the grants that show the item before and after."""
    if policy is None:
        return {}
    known = {id_: _breaks_of(id_, definitions, policy) for id_ in policy.resources}
    found: dict[ResourceId, dict[Break, list[GrantId]]] = {}
    for id_, grant in grants_in_force(definitions, policy).items():
        shown = _shown(id_, policy) & frozenset(grant.items)
        for each in known.get(grant.resource, ()):
            if each.item in shown:
                found.setdefault(grant.resource, {}).setdefault(each, []).append(id_)
    return found


def _shown(grant: GrantId, policy: Policy) -> frozenset[str]:
    """What a grant shows under the policy in force; nothing where it is new."""
    entry = policy.grants.get(grant)
    return frozenset() if entry is None else frozenset(entry.grant.items)


def _breaks_of(resource: ResourceId, definitions: Definitions, policy: Policy) -> tuple[Break, ...]:
    declared = definitions.item_schemas.get(resource)
    if declared is None:
        return ()
    return breaks(item_forms(json.loads(policy.resources[resource].item_schema)), item_forms(declared))


def _next_version(resource: ResourceId, definitions: Definitions) -> tuple[str, str]:
    declared = definitions.resources[resource]
    new = declared.model_copy(update={"version": declared.version + 1})
    return f"version {new.version} ({new.id})", new.id
