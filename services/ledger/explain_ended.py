"""What every grant has of a raw record without a canonical one: nothing, or what its topic still holds."""

from dataclasses import replace
from typing import Final

from services.ledger.explain_delivery import GrantExplanation, without_grant
from services.ledger.lookup import Lookup
from services.ledger.marks import disputed_in
from topics.delivery import event_id
from topics.event import EndedReason, KafkaRecord, ResourceId
from topics.policy import GrantPolicy, Policy

_AT_GATE: Final = {
    "stopped": EndedReason.STOPPED_AT_GATE,
    "control": EndedReason.CONTROL_AT_GATE,
    "duplicate": EndedReason.DUPLICATE_AT_GATE,
    "superseded": EndedReason.SUPERSEDED_AT_GATE,
}


def ended_at_gate(policy: Policy, resource: ResourceId, outcome: str) -> list[GrantExplanation]:
    """Every grant of that policy version to the resource: withheld, because nothing came of the record.

    Args:
        policy: the version that the gate decided under.
        resource: what the raw topic feeds.
        outcome: the gate's, other than accepted.
    """
    reason = _AT_GATE[outcome]
    entries = [_entry(policy, grant, "withheld", reason) for grant in _grants(policy, resource)]
    return entries + without_grant(None, entries, policy)


def replaced(
    lookup: Lookup, raw: KafkaRecord, policy: Policy, resource: ResourceId
) -> list[GrantExplanation]:
    """The same where a newer canonical record has replaced the one that was accepted.

    What still stands on a grant's topic is shown. Where nothing does, it cannot be told whether the record
    was delivered and replaced there too, or was withheld.
    """
    entries = []
    for grant in _grants(policy, resource):
        unknown = _entry(policy, grant, "unknown", EndedReason.CANONICAL_REPLACED)
        entries += _standing(lookup, raw, policy, grant) or [unknown]
    return entries + without_grant(None, entries, policy)


def _grants(policy: Policy, resource: ResourceId) -> list[GrantPolicy]:
    found = [entry for entry in policy.grants.values() if entry.grant.resource == resource]
    return sorted(found, key=lambda entry: entry.grant.id)


def _entry(
    policy: Policy,
    entry: GrantPolicy,
    outcome: str,
    reason: EndedReason | None,
    generation: int | None = None,
    at: str | None = None,
) -> GrantExplanation:
    return GrantExplanation(
        canonical=None,
        consumer=entry.grant.consumer,
        grant=entry.grant.id,
        generation=entry.generation if generation is None else generation,
        outcome=outcome,
        reason=reason.value if reason else None,
        at=at,
        policy_version=policy.version,
        block=None,
    )


def _standing(lookup: Lookup, raw: KafkaRecord, policy: Policy, entry: GrantPolicy) -> list[GrantExplanation]:
    """What the raw record led to on the grant's topic, of any generation, as far as it still stands."""
    wanted = event_id(raw.topic, raw.partition, raw.offset).encode()
    found = []
    for record in lookup.since_all(lookup.reader.places(entry.grant.topic), raw.timestamp_ms):
        grant, _, generation = (record.header("govbus_grant") or b"").decode().rpartition("@")
        if record.header("ce_id") == wanted and grant == entry.grant.id:
            outcome = "tombstoned" if record.value is None else "delivered"
            standing = _entry(policy, entry, outcome, None, int(generation), record.coordinates)
            found.append(replace(standing, disputed=disputed_in(record)))
    return found
