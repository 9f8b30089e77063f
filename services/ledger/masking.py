"""Shows records without telling whom they are about: default deny, what no declaration calls harmless is masked."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from topics.policy import Policy
from topics.resource import Resource

MASKED: Final = "***"
OPEN_TOPICS: Final = ("ledger.", "policy", "epochs.", "heartbeat.", "notify.", "signal.")
"""Topics in which no personal data may be at all."""
_HARMLESS: Final = frozenset(
    # The canonical envelope and Debezium's, claims and stopped keys, apart from what they carry.
    {"operation", "generation", "incarnation", "commit", "ordinal", "source_time", "raw_topic"}
    | {"raw_partition", "raw_offset", "policy_version", "marks", "previous_known"}
    | {"op", "ts_ms", "ts_us", "ts_ns", "source", "transaction"}
    | {"claimant", "owner", "owner_resource", "item", "topic", "partition", "offset", "timestamp_ms"}
    | {"last_accepted_known", "first_stopped", "last_stopped", "step", "reason", "detail", "rules"}
    | {"pseudonym"}
)
_CONTAINERS: Final = frozenset({"state", "previous", "before", "after"})


def mask(value: Any, harmless: frozenset[str]) -> Any:
    """The value with everything masked that is not harmless by name; empty values stay empty."""
    if not isinstance(value, Mapping):
        return value if value is None else MASKED
    return {name: _field(name, inner, harmless) for name, inner in value.items()}


def _field(name: str, value: Any, harmless: frozenset[str]) -> Any:
    if value is None or name in harmless or name in _HARMLESS:
        return value
    return mask(value, harmless) if name in _CONTAINERS else MASKED


def mask_record(topic: str, key: Any, value: Any, policy: Policy | None) -> tuple[Any, Any]:
    """Key and value as they may be shown without revealing; keys name persons and are masked whole."""
    if topic.startswith(OPEN_TOPICS):
        return key, value
    harmless = harmless_names(topic, policy)
    return mask(key, frozenset()), mask(value, harmless)


def harmless_names(topic: str, policy: Policy | None) -> frozenset[str]:
    """Names of items and source columns on this topic that their declaration does not call sensitive."""
    found = _resource(topic, policy)
    if found is None:
        return frozenset()
    raw = topic.startswith("raw.")
    return frozenset(
        item.source_column if raw else item.name
        for item in found.items
        if not item.sensitive and item.name not in _identifying(found)
    )


def _identifying(resource: Resource) -> Iterable[str]:
    return (resource.identity.item, resource.identity.country_item or resource.identity.item)


def _resource(topic: str, policy: Policy | None) -> Resource | None:
    if policy is None:
        return None
    for entry in policy.resources.values():
        if topic in (entry.resource.raw_topic, entry.resource.canonical_topic):
            return entry.resource
    for grant in policy.grants.values():
        if grant.grant.topic == topic:
            return policy.resources[grant.grant.resource].resource
    return None


def provider_of(topic: str, policy: Policy | None) -> str | None:
    """The provider whose facts the topic holds: where looking at them unmasked is recorded."""
    parts = topic.split(".")
    if parts[0] in ("raw", "quarantine", "claims", "stopped") and len(parts) > 1:
        return parts[1]
    found = _resource(topic, policy)
    return found.provider if found else None
