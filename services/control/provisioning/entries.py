"""A grant of a case as the policy holds it while it is filled, and why it is filled; pure."""

import json
from typing import Any

from services.control.transitions import Move, Transition, transitions
from topics.canonical import schema_text
from topics.event import GrantId, PolicyNumber, SchemaId
from topics.grants.declaration import Grant, GrantState
from topics.grants.projection import projected_schema
from topics.policy import GrantPolicy, Policy, ResourcePolicy


def entry_of(
    grant: Grant, policy: Policy, key_schema_id: SchemaId, value_schema_id: SchemaId
) -> tuple[GrantPolicy, Transition]:
    """The entry of a grant in the version in which it is filled, and what its epoch is about.

    A grant that was on the bus before stays in its group, and its generation rises.

    Raises:
        UseNewGrantId: the grant of that id is for somebody or something else.
    """
    before = policy.grants.get(grant.id)
    group = before.grant.group if before is not None else grant.group
    wanted = grant.model_copy(update={"state": GrantState.FILLING, "group": group})
    resource = policy.resources[grant.resource]
    entry = GrantPolicy(
        grant=wanted,
        key_schema_id=key_schema_id,
        value_schema_id=value_schema_id,
        value_schema=schema_text(projected_schema(item_schema_of(resource), wanted)),
        generation=before.generation + 1 if before is not None else 1,
        key_version=before.key_version if before is not None else 1,
        active_since=before.active_since if before is not None else PolicyNumber(0),
        starts_at=before.starts_at if before is not None else {},
    )
    return entry, _transition(wanted, policy, resource)


def item_schema_of(resource: ResourcePolicy) -> dict[str, Any]:
    """The Avro record schema of a resource as it was applied."""
    schema: dict[str, Any] = json.loads(resource.item_schema)
    return schema


def _transition(wanted: Grant, policy: Policy, resource: ResourcePolicy) -> Transition:
    """As apply would call it; what apply would leave alone is filled all the same: the case asks for it."""
    declared = wanted.model_copy(update={"state": GrantState.ACTIVE})
    plain = policy.model_copy(update={"by_cases": False})
    grants: dict[GrantId, Grant] = {wanted.id: declared}
    [found] = transitions(grants, {wanted.resource: resource.resource}, plain)
    if found.move is Move.FILL:
        return found
    return Transition(wanted.id, Move.FILL, "its case asks for it")
