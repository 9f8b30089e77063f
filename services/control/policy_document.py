"""Builds the next policy version from what is declared, what is registered and the newest version; pure."""

from collections.abc import Mapping

from services.control.desired import Declared, control_subject
from services.control.rights import WITHDRAWN_STATES
from services.control.transitions import Move, Transition
from topics import names
from topics.canonical import envelope_schema, schema_text
from topics.event import GrantId, PolicyNumber, SchemaId
from topics.grants.declaration import Grant, GrantState
from topics.grants.projection import projected_schema
from topics.policy import ControlSchemas, GrantPolicy, Policy, ResourcePolicy
from topics.resource import Resource

_MOMENT = {"version", "issued_ms"}


def same_content(left: Policy, right: Policy) -> bool:
    """Whether two versions say the same, whatever their number and time."""
    return left.model_dump(exclude=_MOMENT) == right.model_dump(exclude=_MOMENT)


def next_policy(
    declared: Declared,
    moves: Mapping[GrantId, Transition],
    ids: Mapping[str, SchemaId],
    live: Policy | None,
    now_ms: int,
) -> Policy:
    """The next version: grants to be filled stand as FILLING with a new generation."""
    return Policy(
        version=PolicyNumber(live.version + 1 if live else 1),
        issued_ms=now_ms,
        providers=dict(declared.providers),
        consumers=dict(declared.consumers),
        resources={
            key: _resource(resource, declared, ids, live) for key, resource in declared.resources.items()
        },
        grants=_grants(declared, moves, ids, live),
        code_lists=dict(declared.code_lists),
        control_schemas=control_ids(ids),
    )


def control_ids(ids: Mapping[str, SchemaId]) -> ControlSchemas:
    """The control records' schema ids."""
    return ControlSchemas(
        decision_block=ids[control_subject("DecisionBlock")],
        quarantined_event=ids[control_subject("QuarantinedEvent")],
        stopped_key=ids[control_subject("StoppedKey")],
        claim=ids[control_subject("Claim")],
        epoch_marker=ids[control_subject("EpochMarker")],
        policy_acknowledgement=ids[control_subject("PolicyAcknowledgement")],
        accepted_version=ids[control_subject("AcceptedVersion")],
    )


def _resource(
    resource: Resource, declared: Declared, ids: Mapping[str, SchemaId], live: Policy | None
) -> ResourcePolicy:
    item_schema = declared.item_schemas[resource.id]
    before = live.resources.get(resource.id) if live else None
    return ResourcePolicy(
        resource=resource,
        item_schema=schema_text(item_schema),
        envelope_schema=schema_text(envelope_schema(item_schema, resource.scope_items)),
        canonical_key_schema_id=ids[names.key_subject(resource.canonical_topic)],
        canonical_value_schema_id=ids[names.value_subject(resource.canonical_topic)],
        generation=before.generation if before else 0,
    )


def _grants(
    declared: Declared, moves: Mapping[GrantId, Transition], ids: Mapping[str, SchemaId], live: Policy | None
) -> dict[GrantId, GrantPolicy]:
    found: dict[GrantId, GrantPolicy] = {}
    for grant_id, grant in sorted(declared.grants.items()):
        before = live.grants.get(grant_id) if live else None
        if grant.resource not in declared.resources:
            # Its resource is gone: what was fixed for it stays, so that the record of the right stays whole.
            if before is not None:
                found[grant_id] = before.model_copy(update={"grant": grant})
            continue
        if before is None and grant.state in WITHDRAWN_STATES:
            continue  # Nothing was ever written under it, so there is nothing to fix or to prove.
        found[grant_id] = _grant(grant, moves[grant_id], before, declared, ids)
    return found


def _grant(
    grant: Grant,
    transition: Transition,
    before: GrantPolicy | None,
    declared: Declared,
    ids: Mapping[str, SchemaId],
) -> GrantPolicy:
    resource = declared.resources[grant.resource]
    fills = transition.move is Move.FILL
    generation = before.generation if before else 0
    return GrantPolicy(
        grant=grant.model_copy(update={"state": GrantState.FILLING}) if fills else grant,
        key_schema_id=ids[names.key_subject(grant.topic)],
        value_schema_id=ids[names.value_subject(grant.topic)],
        value_schema=schema_text(projected_schema(declared.item_schemas[resource.id], grant)),
        generation=max(1, generation + 1 if fills else generation),
        key_version=before.key_version if before else 1,
        active_since=before.active_since if before else PolicyNumber(0),
        starts_at=before.starts_at if before else {},
    )


def with_grant_state(policy: Policy, states: Mapping[GrantId, GrantState], now_ms: int) -> Policy:
    """The next version, in which these grants have these states and nothing else changes."""
    grants = dict(policy.grants)
    for grant_id, state in states.items():
        entry = grants[grant_id]
        grants[grant_id] = entry.model_copy(update={"grant": entry.grant.model_copy(update={"state": state})})
    return _following(policy, grants, now_ms)


def with_active_grant(policy: Policy, grant_id: GrantId, starts_at: Mapping[int, int], now_ms: int) -> Policy:
    """The next version, in which the grant is active and the fan-out goes on where the copier ended."""
    number = PolicyNumber(policy.version + 1)
    entry = policy.grants[grant_id]
    active = entry.model_copy(
        update={
            "grant": entry.grant.model_copy(update={"state": GrantState.ACTIVE}),
            "active_since": number,
            "starts_at": dict(starts_at),
        }
    )
    return _following(policy, {**policy.grants, grant_id: active}, now_ms)


def _following(policy: Policy, grants: dict[GrantId, GrantPolicy], now_ms: int) -> Policy:
    number = PolicyNumber(policy.version + 1)
    return policy.model_copy(update={"version": number, "issued_ms": now_ms, "grants": grants})
