"""Shows records without telling whom they are about: what no declaration calls harmless is masked."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from topics.names import grant_topic_of
from topics.policy import Policy
from topics.resource import Resource

MASKED: Final = "***"
OPEN_TOPICS: Final = ("ledger.", "policy", "epochs.", "heartbeat.", "notify.", "signal.")
"""Topics in which no personal data may be at all."""
_ENVELOPES: Final[Mapping[str, frozenset[str]]] = {
    # What the bus itself writes around the items, by the first part of the topic's name.
    "raw": frozenset(
        {"op", "operation", "version", "occurred", "ts_ms", "ts_us", "ts_ns", "source", "transaction"}
    ),
    "resource": frozenset(
        {"operation", "generation", "incarnation", "commit", "ordinal", "source_time", "raw_topic"}
        | {"raw_partition", "raw_offset", "policy_version", "marks", "previous_known"}
    ),
    "claims": frozenset(
        {"claimant", "owner", "owner_resource", "item", "topic", "partition", "offset", "timestamp_ms"}
        | {"policy_version"}
    ),
    "stopped": frozenset({"last_accepted_known", "first_stopped", "last_stopped"}),
    "versions": frozenset({"resource_version", "version"}),
    "quarantine": frozenset(
        {"topic", "partition", "offset", "timestamp_ms", "step", "reason", "detail", "rules"}
        | {"policy_version"}
    ),
}
_CONTAINERS: Final[Mapping[str, frozenset[str]]] = {
    "raw": frozenset({"before", "after", "record"}),
    "resource": frozenset({"previous", "state"}),
}
_KEYS: Final = frozenset({"pseudonym"})
_NONE: Final[frozenset[str]] = frozenset()


def mask_items(items: Any, harmless: frozenset[str]) -> Any:
    """The items with every value masked that is not harmless by name; empty values stay empty."""
    if not isinstance(items, Mapping):
        return items if items is None else MASKED
    return {name: value if value is None or name in harmless else MASKED for name, value in items.items()}


def _mask_value(topic: str, value: Any, harmless: frozenset[str]) -> Any:
    if not isinstance(value, Mapping):
        return value if value is None else MASKED
    kind = topic.split(".", 1)[0]
    containers = _CONTAINERS.get(kind, _NONE)
    shown = _ENVELOPES.get(kind, harmless)
    if containers and not containers & value.keys():
        shown = _NONE
    around = mask_items(value, shown)
    return {
        name: mask_items(inner, harmless) if name in containers else around[name]
        for name, inner in value.items()
    }


def mask_record(topic: str, key: Any, value: Any, policy: Policy | None) -> tuple[Any, Any]:
    """Key and value as they may be shown without revealing; keys name persons and are masked whole."""
    if topic.startswith(OPEN_TOPICS):
        return key, value
    harmless = harmless_names(topic, policy)
    return mask_items(key, _KEYS), _mask_value(topic, value, harmless)


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
        if grant.grant.topic == grant_topic_of(topic):
            return policy.resources[grant.grant.resource].resource
    return None


def provider_of(topic: str, policy: Policy | None) -> str | None:
    """The provider whose facts the topic holds: where looking at them unmasked is recorded."""
    parts = topic.split(".")
    if parts[0] in ("raw", "quarantine", "claims", "stopped", "versions") and len(parts) > 1:
        return parts[1]
    found = _resource(topic, policy)
    return found.provider if found else None
