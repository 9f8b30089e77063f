"""Compiles a policy version into what the fan-out's line needs: per canonical topic its grants."""

import json
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from services.fanout.projection import Projector, compile_projector
from services.processor.contract import finished
from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA
from topics.engine.fanout import FanoutSpec, GrantSpec
from topics.engine.reference import ReferenceCodec, without_logical_types
from topics.engine.schema import RecordType, parse
from topics.event import GrantId, PolicyNumber, ResourceId, SchemaId, TopicName
from topics.grants.declaration import Grant, GrantState, Mask
from topics.grants.keys import grant_key, has_canonical_key
from topics.grants.rows import RowPredicate, compile_rows
from topics.policy import GrantPolicy, Policy
from topics.resource import Resource

_OFFICIAL_TIME: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE: Final = 50
"""Grants that are compiled without a pause: some hundredths of a second."""


class MasterSecretMissing(Exception):  # noqa: N818 - named after what to provide
    """The grant's key version has no master secret here: provide it; nothing is delivered without it."""


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """One grant, compiled."""

    grant: GrantId
    topic: TopicName
    state: GrantState
    generation: int
    valid_from_ms: int
    valid_until_ms: int
    starts_at: Mapping[int, int]
    active_since: PolicyNumber
    rows: RowPredicate
    projector: Projector
    canonical_key: bool
    secret_key: bytes
    key_codec: ReferenceCodec
    key_schema_id: SchemaId
    value_codec: ReferenceCodec
    value_schema_id: SchemaId
    masks: Mapping[str, Mask]


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One canonical topic and the grants of one group on it."""

    resource: ResourceId
    topic: TopicName
    items: RecordType
    """The policy's schema of the items, in which grants read states of whatever schema."""
    grants: tuple[GrantPlan, ...]


@dataclass(frozen=True, slots=True)
class FanoutPlan:
    """One policy version, compiled for one grant group."""

    policy_version: PolicyNumber
    resources: Mapping[TopicName, ResourcePlan]
    key_codec: ReferenceCodec


def compile_fanout(policy: Policy, group: str, master_secrets: Mapping[int, bytes]) -> FanoutPlan:
    """Compile the policy for one grant group.

    Raises:
        MasterSecretMissing: a grant names a version of the master secret that is not given.
    """
    return compile_grants(policy, policy.grants_of(group), master_secrets)


def compile_grants(
    policy: Policy, entries: list[GrantPolicy], master_secrets: Mapping[int, bytes]
) -> FanoutPlan:
    """Compile some grants of the policy, e.g. the one that a copier fills."""
    return finished(plan_in_steps(policy, entries, master_secrets))


def plan_in_steps(
    policy: Policy, entries: list[GrantPolicy], master_secrets: Mapping[int, bytes]
) -> Generator[None, None, FanoutPlan]:
    """The same, with a pause after each few grants."""
    resources: dict[TopicName, ResourcePlan] = {}
    for number, entry in enumerate(entries):
        if number % _AT_ONCE == _AT_ONCE - 1:
            yield
        found = policy.resources[entry.grant.resource]
        resource = found.resource
        known = resources.get(resource.canonical_topic)
        grants = (*(known.grants if known else ()), _grant(entry, resource, master_secrets))
        items = known.items if known else _items(found.item_schema)
        resources[resource.canonical_topic] = ResourcePlan(
            resource.id, resource.canonical_topic, items, grants
        )
    return FanoutPlan(policy.version, resources, ReferenceCodec(CANONICAL_KEY_SCHEMA))


def opened(plan: FanoutPlan) -> FanoutPlan:
    """The plan as if live delivery had begun with the first record: what a copy gives is not left to it."""
    return replace(
        plan,
        resources={
            topic: replace(found, grants=tuple(map(_opened, found.grants)))
            for topic, found in plan.resources.items()
        },
    )


def _opened(grant: GrantPlan) -> GrantPlan:
    state = GrantState.ACTIVE if grant.state is GrantState.FILLING else grant.state
    return replace(grant, state=state, starts_at={})


def _grant(entry: GrantPolicy, resource: Resource, master_secrets: Mapping[int, bytes]) -> GrantPlan:
    grant = entry.grant
    master = master_secrets.get(entry.key_version)
    if master is None:
        raise MasterSecretMissing(f"grant {grant.id} needs version {entry.key_version} of the master secret")
    secret = grant_key(master, grant.id, entry.key_version)
    canonical = has_canonical_key(resource, grant)
    value_schema = json.loads(entry.value_schema)
    return GrantPlan(
        grant=grant.id,
        topic=grant.topic,
        state=grant.state,
        generation=entry.generation,
        valid_from_ms=validity_ms(grant)[0],
        valid_until_ms=_until_ms(entry),
        starts_at=entry.starts_at,
        active_since=entry.active_since,
        rows=compile_rows(grant.rows),
        projector=compile_projector(value_schema, grant.masks, secret),
        canonical_key=canonical,
        secret_key=secret,
        key_codec=ReferenceCodec(CANONICAL_KEY_SCHEMA if canonical else PSEUDONYM_KEY_SCHEMA),
        key_schema_id=entry.key_schema_id,
        value_codec=ReferenceCodec(value_schema),
        value_schema_id=entry.value_schema_id,
        masks=grant.masks,
    )


def _until_ms(entry: GrantPolicy) -> int:
    """The end of the last day; of a grant that is handed out once, the moment when it was complete."""
    until = validity_ms(entry.grant)[1]
    return until if entry.closed_ms is None else min(until, entry.closed_ms)


def _items(item_schema: str) -> RecordType:
    found = parse(without_logical_types(json.loads(item_schema)))
    if not isinstance(found, RecordType):
        raise TypeError("the schema of a resource's items is a record")
    return found


def canonical_schemas(policy: Policy, topics: Collection[TopicName]) -> dict[SchemaId, Any]:
    """The schemas that the gate writes these topics by: a registry that lost one cannot withhold anything."""
    return {
        entry.canonical_value_schema_id: json.loads(entry.envelope_schema)
        for entry in policy.resources.values()
        if entry.resource.canonical_topic in topics
    }


def spec_of(plan: FanoutPlan, resource: ResourcePlan) -> FanoutSpec:
    """What an engine must know of one canonical topic."""
    return FanoutSpec(
        resource=resource.resource,
        policy_version=plan.policy_version,
        items=resource.items,
        grants=tuple(_grant_spec(grant) for grant in resource.grants),
    )


def _grant_spec(grant: GrantPlan) -> GrantSpec:
    value_type = grant.value_codec.type
    if not isinstance(value_type, RecordType):
        raise TypeError("the schema of a grant's values is a record")
    return GrantSpec(
        grant=grant.grant,
        generation=grant.generation,
        topic=grant.topic,
        state=grant.state,
        valid_from_ms=grant.valid_from_ms,
        valid_until_ms=grant.valid_until_ms,
        starts_at=grant.starts_at,
        rows=grant.rows,
        masks=grant.masks,
        canonical_key=grant.canonical_key,
        secret_key=grant.secret_key,
        key_schema_id=grant.key_schema_id,
        value_schema_id=grant.value_schema_id,
        value_type=value_type,
    )


def validity_ms(grant: Grant) -> tuple[int, int]:
    """From when until when (excluded) the days of a grant are, in ms since 1970."""
    return _start_of(grant.valid_from), _start_of(grant.valid_until) + _DAY_MS


def _start_of(day: date) -> int:
    """Midnight of that day in official time, in ms since 1970."""
    # Not by astimezone: in universal time the first day there is begins before there are any.
    moment = datetime(day.year, day.month, day.day, tzinfo=_OFFICIAL_TIME)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
