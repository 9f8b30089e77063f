"""A policy over the packaged definitions, with made-up schema ids, for tests without a stack."""

import json
from functools import cache

from services.control.definitions import Definitions, load_definitions, packaged_definitions
from topics.canonical import envelope_schema, schema_text
from topics.event import PolicyNumber, SchemaId
from topics.grants.projection import projected_schema
from topics.policy import ControlSchemas, GrantPolicy, Policy, ResourcePolicy

CANONICAL_KEY = SchemaId(1)
CONTROL = ControlSchemas(
    decision_block=SchemaId(2),
    quarantined_event=SchemaId(3),
    stopped_key=SchemaId(4),
    claim=SchemaId(5),
    epoch_marker=SchemaId(6),
    policy_acknowledgement=SchemaId(7),
    accepted_version=SchemaId(9),
    control_act=SchemaId(10),
    dispute_change=SchemaId(11),
)


@cache
def sample_definitions() -> Definitions:
    """The sample city's definitions, read once; nobody changes them."""
    return load_definitions(packaged_definitions())


def sample_policy(version: int = 1) -> Policy:
    """The sample city's policy."""
    return policy_of(sample_definitions(), version)


def policy_of(found: Definitions, version: int = 1) -> Policy:
    """A policy; canonical value ids start at 100, grant key ids at 200, grant value ids at 300."""
    resources = {}
    for number, (resource_id, resource) in enumerate(sorted(found.resources.items())):
        schema = found.item_schemas[resource_id]
        resources[resource_id] = ResourcePolicy(
            resource=resource,
            item_schema=schema_text(schema),
            envelope_schema=schema_text(envelope_schema(schema, resource.scope_items)),
            canonical_key_schema_id=CANONICAL_KEY,
            canonical_value_schema_id=SchemaId(100 + number),
        )
    grants = {}
    for number, (grant_id, grant) in enumerate(sorted(found.grants.items())):
        projected = projected_schema(found.item_schemas[grant.resource], grant)
        grants[grant_id] = GrantPolicy(
            grant=grant,
            key_schema_id=SchemaId(200 + number),
            value_schema_id=SchemaId(300 + number),
            value_schema=schema_text(projected),
        )
    return Policy(
        version=PolicyNumber(version),
        issued_ms=1_790_000_000_000,
        providers=dict(found.providers),
        consumers=dict(found.consumers),
        resources=resources,
        grants=grants,
        code_lists=dict(found.code_lists),
        control_schemas=CONTROL,
    )


def envelope_of(policy: Policy, resource_id: str) -> dict[str, object]:
    """The canonical envelope schema of a resource of the policy."""
    entry = next(entry for found, entry in policy.resources.items() if found == resource_id)
    schema: dict[str, object] = json.loads(entry.envelope_schema)
    return schema
