"""What became of one canonical record under every grant: delivered where, or withheld why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.fanout.line import GrantOutcome, fan_out
from services.fanout.plan import compile_fanout
from services.ledger.blocks import Block
from services.ledger.counts import Place
from services.ledger.explain_epoch import EpochExplanation, explain_epoch
from services.ledger.lookup import Lookup
from services.ledger.marks import disputed_in, marks_of
from services.ledger.withheld import as_written
from topics.delivery import event_id
from topics.event import KafkaRecord, ResourceId, TopicName, WithheldReason
from topics.grants.declaration import Grant
from topics.names import fanout_group
from topics.policy import Policy

PENDING = "pending"


@dataclass(frozen=True, slots=True)
class GrantExplanation:
    """One grant's outcome; ``grant`` is None for a consumer that has none to the resource.

    ``canonical`` is None where no canonical record stands: nothing came of the raw one, or it was replaced.
    """

    canonical: str | None
    consumer: str
    grant: str | None
    generation: int | None
    outcome: str
    reason: str | None
    at: str | None
    policy_version: int
    block: str | None
    epoch: EpochExplanation | None = None
    """Where live withheld the record because a full-volume copy gives it: what that copy did."""
    disputed: tuple[str, ...] | None = None
    """Items that the delivery names as disputed; None where nothing was delivered, or nobody can tell."""
    disputes: int | None = None
    """Number of the disputes that the block was decided with."""


def explain_grants(
    lookup: Lookup, canonical: KafkaRecord, resource: ResourceId, newest: Policy
) -> list[GrantExplanation]:
    """Every grant of every group that concerns the resource, then the consumers without one."""
    found: list[GrantExplanation] = []
    last = newest
    for group in _groups(lookup.policies, resource):
        block = lookup.live_block(canonical, fanout_group(group))
        policy = lookup.policies[block.policy_version] if block else newest
        last = min(last, policy, key=lambda one: one.version)
        found += _group(lookup, canonical, resource, policy, group, block)
    return found + without_grant(canonical.coordinates, found, last)


def without_grant(
    canonical: str | None, found: Sequence[GrantExplanation], policy: Policy
) -> list[GrantExplanation]:
    """The consumers of that policy version that none of these entries is about."""
    covered = {entry.consumer for entry in found}
    reason = WithheldReason.NO_GRANT.value
    return [
        GrantExplanation(canonical, consumer, None, None, "withheld", reason, None, policy.version, None)
        for consumer in sorted(set(policy.consumers) - covered)
    ]


def _groups(policies: Mapping[int, Policy], resource: ResourceId) -> list[str]:
    """Groups that ever had a grant to the resource: a group may have lost its last one since."""
    grants = [entry.grant for policy in policies.values() for entry in policy.grants.values()]
    return sorted({grant.group for grant in grants if grant.resource == resource})


def _group(
    lookup: Lookup,
    canonical: KafkaRecord,
    resource: ResourceId,
    policy: Policy,
    group: str,
    block: Block | None,
) -> list[GrantExplanation]:
    entries = [entry for entry in policy.grants_of(group) if entry.grant.resource == resource]
    if block is None:
        return [
            GrantExplanation(
                canonical.coordinates,
                entry.grant.consumer,
                entry.grant.id,
                entry.generation,
                PENDING,
                None,
                None,
                policy.version,
                None,
            )
            for entry in entries
        ]
    # Only keys and hashes depend on the master secret, no decision does: an explanation does without it.
    no_secrets = {entry.key_version: bytes(32) for entry in policy.grants_of(group)}
    plan = compile_fanout(policy, group, no_secrets)
    marks = marks_of(lookup, block)
    outcomes = fan_out(canonical, plan, lookup.codecs(canonical), disputes=marks) or ()
    told = marks is not None
    written = [as_written(block, outcome) for outcome in outcomes]
    return [_explained(lookup, canonical, outcome, policy, block, told=told) for outcome in written]


def _explained(
    lookup: Lookup,
    canonical: KafkaRecord,
    outcome: GrantOutcome,
    policy: Policy,
    block: Block,
    *,
    told: bool,
) -> GrantExplanation:
    """``told`` says whether the marks that were decided with are known; else the delivery says them."""
    grant = policy.grants[outcome.grant].grant
    epoch, at = None, None
    disputed = disputed_in(outcome.output) if told else None
    if outcome.withheld is WithheldReason.FILLED_BY_EPOCH:

        def find(generation: int) -> KafkaRecord | None:
            return _standing(lookup, canonical, grant, generation, lambda _: True)

        epoch = explain_epoch(lookup, canonical, grant.id, find)
        at = epoch.at
    elif outcome.output is not None:
        has_value = outcome.output.value is not None
        right_kind = lambda record: (record.value is not None) == has_value  # noqa: E731
        standing = _standing(lookup, canonical, grant, outcome.generation, right_kind)
        at = standing.coordinates if standing else None
        disputed = disputed if told else disputed_in(standing)
    return GrantExplanation(
        canonical=canonical.coordinates,
        consumer=grant.consumer,
        grant=grant.id,
        generation=outcome.generation,
        outcome=outcome.kind.value,
        reason=outcome.withheld.value if outcome.withheld else None,
        at=at,
        policy_version=policy.version,
        block=block.at,
        epoch=epoch,
        disputed=disputed,
        disputes=block.disputes,
    )


def _standing(
    lookup: Lookup,
    canonical: KafkaRecord,
    grant: Grant,
    generation: int,
    right_kind: Callable[[KafkaRecord], bool],
) -> KafkaRecord | None:
    """The record on the grant's topic that this canonical record led to, if it still stands.

    One change can lead to a tombstone and a record with the same event id; they differ in having a value.
    """
    place = Place(grant.topic, canonical.partition)
    if place not in lookup.reader.places(grant.topic):
        return None
    value = lookup.value(canonical) or {}
    wanted = event_id(
        TopicName(str(value.get("raw_topic"))),
        int(str(value.get("raw_partition", 0))),
        int(str(value.get("raw_offset", 0))),
    ).encode()
    of = f"{grant.id}@{generation}".encode()
    for record in lookup.since(place, canonical.timestamp_ms):
        right = record.header("ce_id") == wanted and record.header("govbus_grant") == of
        if right and right_kind(record):
            return record
    return None
