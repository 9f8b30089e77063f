"""The snapshots of resources, quarantines and the mounting of the catalogue; pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.control.notices.hurts import longest_silence
from services.control.process.collecting.facts import Facts, moment
from topics import names
from topics.event import ProviderId
from topics.grants.declaration import GrantState
from topics.policy import Policy, ResourcePolicy

Sums = Mapping[str, Mapping[str, Any]]


def resource_documents(policy: Policy, facts: Facts, sums: Sums, now: datetime) -> dict[str, dict[str, Any]]:
    """The snapshots of all resources.

    Args:
        policy: the newest version.
        facts: Kafka at this moment.
        sums: of the ledger's blocks, by raw topic.
        now: the time.
    """
    consumers: dict[str, set[str]] = {}
    for entry in policy.grants.values():
        if entry.grant.state is GrantState.REVOKED:
            continue
        consumers.setdefault(entry.grant.resource, set()).add(entry.grant.consumer)
    return {
        id_: _document(entry, facts, sums, sorted(consumers.get(id_, ())), now)
        for id_, entry in policy.resources.items()
    }


def _document(
    entry: ResourcePolicy, facts: Facts, sums: Sums, consumers: list[str], now: datetime
) -> dict[str, Any]:
    resource = entry.resource
    counted = sums.get(resource.raw_topic, {})
    last = facts.last_record_at(resource.raw_topic)
    allowed = longest_silence(resource.update_cycle)
    silent = None if last is None else max(0.0, (now - last).total_seconds())
    return {
        "code": resource.code,
        "provider": resource.provider,
        "consumers": consumers,
        "update_cycle": resource.update_cycle.value,
        "raw_topic": resource.raw_topic,
        "canonical_topic": resource.canonical_topic,
        "last_event_at": moment(last),
        "freshness_s": None if silent is None else round(silent, 1),
        "allowed_s": allowed.total_seconds(),
        "stale": silent is not None and silent > allowed.total_seconds(),
        "records": facts.records(resource.canonical_topic),
        "raw_end": facts.end(resource.raw_topic),
        "canonical_end": facts.end(resource.canonical_topic),
        "accepted": counted.get("accepted"),
        "stopped": counted.get("stopped"),
        "reasons": counted.get("reasons", {}),
    }


def quarantine_documents(policy: Policy, facts: Facts, sums: Sums) -> dict[str, dict[str, Any]]:
    """For each provider what was ever stopped, and why, by the ledger; what stands in quarantine now."""
    return {provider: _quarantine(provider, policy, facts, sums) for provider in policy.providers}


def _quarantine(provider: ProviderId, policy: Policy, facts: Facts, sums: Sums) -> dict[str, Any]:
    topic = names.quarantine(provider)
    own = [entry.resource for entry in policy.resources.values() if entry.resource.provider == provider]
    counted = [sums[resource.raw_topic] for resource in own if resource.raw_topic in sums]
    return {
        "topic": topic,
        "count": sum(int(one.get("stopped", 0)) for one in counted),
        "reasons": _added(one.get("reasons", {}) for one in counted),
        "records": facts.records(topic),
        "last_record_at": moment(facts.last_record_at(topic)),
    }


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found.get(name, 0) + count
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
