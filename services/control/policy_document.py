"""Builds the next policy version from what is declared, what is registered and the newest version; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.control.desired import Declared, control_subject
from services.control.rights import WITHDRAWN_STATES
from services.control.transitions import Move, Transition
from topics import names
from topics.canonical import envelope_schema, schema_text
from topics.event import GrantId, PolicyNumber, ProviderId, ResourceId, SchemaId
from topics.grants.declaration import Grant, GrantState
from topics.grants.hold import Hold, HoldScope, covers, delivers
from topics.grants.projection import projected_schema
from topics.ownership import ItemRuling
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
        holds=dict(live.holds) if live else {},
        rulings=dict(live.rulings) if live else {},
        by_cases=live.by_cases if live else False,
        cases=dict(live.cases) if live else {},
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
        control_act=ids[control_subject("ControlAct")],
        dispute_change=ids[control_subject("DisputeChange")],
    )


def _resource(
    resource: Resource, declared: Declared, ids: Mapping[str, SchemaId], live: Policy | None
) -> ResourcePolicy:
    topic = resource.canonical_topic
    fixed = ids[names.key_subject(topic)], ids[names.value_subject(topic)]
    before = live.resources.get(resource.id) if live else None
    return resource_entry(resource, declared.item_schemas[resource.id], fixed, before)


def resource_entry(
    resource: Resource,
    item_schema: dict[str, Any],
    ids: tuple[SchemaId, SchemaId],
    before: ResourcePolicy | None,
) -> ResourcePolicy:
    """A resource as a policy has it; ``ids`` are those of the schemas of its canonical keys and values."""
    return ResourcePolicy(
        resource=resource,
        item_schema=schema_text(item_schema),
        envelope_schema=schema_text(envelope_schema(item_schema, resource.scope_items)),
        canonical_key_schema_id=ids[0],
        canonical_value_schema_id=ids[1],
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
        closed_ms=before.closed_ms if before and not fills else None,
    )


def with_grant_state(policy: Policy, states: Mapping[GrantId, GrantState], now_ms: int) -> Policy:
    """The next version, in which these grants have these states and nothing else changes."""
    grants = dict(policy.grants)
    for grant_id, state in states.items():
        entry = grants[grant_id]
        grants[grant_id] = entry.model_copy(update={"grant": entry.grant.model_copy(update={"state": state})})
    return _following(policy, grants, now_ms)


def with_active_grant(policy: Policy, grant_id: GrantId, starts_at: Mapping[int, int], now_ms: int) -> Policy:
    """The next version, in which the grant is active and the fan-out goes on where the copier ended.

    A grant that is handed out once is complete with that: nothing goes on.
    """
    number = PolicyNumber(policy.version + 1)
    entry = policy.grants[grant_id]
    active = entry.model_copy(
        update={
            "grant": entry.grant.model_copy(update={"state": GrantState.ACTIVE}),
            "active_since": number,
            "starts_at": dict(starts_at),
            "closed_ms": now_ms if entry.grant.once else None,
        }
    )
    return _following(policy, {**policy.grants, grant_id: active}, now_ms)


def _following(policy: Policy, grants: dict[GrantId, GrantPolicy], now_ms: int) -> Policy:
    number = PolicyNumber(policy.version + 1)
    return policy.model_copy(update={"version": number, "issued_ms": now_ms, "grants": grants})


def affected(policy: Policy, scope: HoldScope, name: str) -> list[GrantPolicy]:
    """The grants that a hold there is on, without those revoked for good; in the order of their ids."""
    return [
        entry
        for _, entry in sorted(policy.grants.items())
        if covers(scope, name, entry.grant) and entry.grant.state is not GrantState.REVOKED
    ]


def with_hold(policy: Policy, hold: Hold, now_ms: int) -> Policy:
    """The next version, in which the hold is in force and everything that it covers is suspended.

    The hold remembers what it is to give back: grants that delivered, or would but for another hold. One
    that its own definition suspends is not among them.
    """
    entries = affected(policy, hold.scope, hold.name)
    kept = {grant for other in policy.holds.values() for grant in other.grants}
    back = tuple(entry.grant.id for entry in entries if delivers(entry.grant) or entry.grant.id in kept)
    number = PolicyNumber(policy.version + 1)
    hold = hold.model_copy(update={"since_version": number, "grants": back})
    states = {entry.grant.id: GrantState.SUSPENDED for entry in entries}
    coming = with_grant_state(policy, states, now_ms)
    return coming.model_copy(update={"holds": {**policy.holds, hold.id: hold}})


def with_ruling(
    policy: Policy,
    ruling: ItemRuling,
    now_ms: int,
    resources: Mapping[ResourceId, ResourcePolicy] | None = None,
) -> Policy:
    """The next version, in which the ruling stands, and these resources are as it leaves them."""
    coming = _following(policy, policy.grants, now_ms)
    ruling = ruling.model_copy(update={"since_version": coming.version})
    changes = {
        "rulings": {**policy.rulings, ruling.id: ruling},
        "resources": {**policy.resources, **(resources or {})},
    }
    return coming.model_copy(update=changes)


def with_incarnation(
    policy: Policy, provider: ProviderId, incarnation: int, system: str, now_ms: int
) -> Policy:
    """The next version, in which the capture begins anew on that system; the same one if it says so already.

    An incarnation never falls.
    """
    entry = policy.providers[provider]
    if entry.incarnation >= incarnation:
        return policy
    anew = entry.model_copy(update={"incarnation": incarnation, "system": system})
    coming = _following(policy, policy.grants, now_ms)
    return coming.model_copy(update={"providers": {**policy.providers, provider: anew}})


def without_hold(policy: Policy, hold_id: str) -> Policy:
    """The same version without the hold; what other holds still cover, the first of them gives back."""
    lifted = policy.holds[hold_id]
    holds = {key: hold for key, hold in policy.holds.items() if key != hold_id}
    for grant_id in lifted.grants:
        entry = policy.grants.get(grant_id)
        others = [hold for hold in holds.values() if entry is not None and hold.covers(entry.grant)]
        if others and not any(grant_id in hold.grants for hold in others):
            first = others[0]
            holds[first.id] = first.model_copy(update={"grants": (*first.grants, grant_id)})
    return policy.model_copy(update={"holds": holds})


def freed(policy: Policy, grants: Iterable[GrantId]) -> list[GrantId]:
    """Those of the grants that no hold covers, that are not delivering yet and whose resource is there."""
    found = []
    for grant_id in grants:
        entry = policy.grants.get(grant_id)
        if entry is None or entry.grant.state in {GrantState.REVOKED, GrantState.ACTIVE}:
            continue
        if entry.grant.resource in policy.resources and not policy.holds_on(entry.grant):
            found.append(grant_id)
    return sorted(found)


def with_filling(policy: Policy, grants: Iterable[GrantId], now_ms: int) -> Policy:
    """The next version, in which an epoch of a new generation is under way for each of these grants."""
    entries = dict(policy.grants)
    for grant_id in grants:
        entry = entries[grant_id]
        filling = entry.grant.model_copy(update={"state": GrantState.FILLING})
        more = {"grant": filling, "generation": entry.generation + 1, "closed_ms": None}
        entries[grant_id] = entry.model_copy(update=more)
    return _following(policy, entries, now_ms)
