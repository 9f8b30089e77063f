"""Whose a topic is, and whose an order of the kill switch: by its name, or by the policy.

Permissions are asked about these departments, by pages, the API and commands alike.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from topics.event import GrantId, ResourceId
from topics.grants.hold import HoldScope
from topics.names import grant_topic_of
from topics.policy import Policy

SUSPENDING: Final[Mapping[HoldScope, Action]] = {
    HoldScope.GRANT: Action.KILL_GRANT,
    HoldScope.CONSUMER: Action.KILL_CONSUMER,
    HoldScope.RESOURCE: Action.KILL_RESOURCE,
    HoldScope.ALL: Action.KILL_ALL,
}
"""What one has to be allowed for a suspension of each scope."""
_PROVIDERS: Final = ("raw", "quarantine", "claims", "stopped", "versions", "signal", "notify")
"""What a topic's name begins with where the provider comes next."""
_CONSUMERS: Final = ("sub", "parked")


def whose_topic(topic: str, policy: Policy | None) -> Whose:
    """The departments of a topic: by its name, and where that does not say it by the policy.

    What belongs to nobody is seen by those only who may see everything.
    """
    head, *rest = topic.split(".")
    if head in _PROVIDERS and rest:
        return Whose(provider=rest[0])
    provider = owners_of(policy).get(grant_topic_of(topic))
    return Whose(provider=provider, consumer=rest[0] if head in _CONSUMERS and rest else None)


def owners_of(policy: Policy | None) -> dict[str, str]:
    """Canonical topics and grants' topics → the department that owns the resource."""
    if policy is None:
        return {}
    found = {each.resource.canonical_topic: each.resource.provider for each in policy.resources.values()}
    for each in policy.grants.values():
        resource = policy.resources.get(each.grant.resource)
        if resource is not None:
            found[each.grant.topic] = resource.resource.provider
    return {str(topic): str(provider) for topic, provider in found.items()}


def whose_order(policy: Policy | None, scope: HoldScope, name: str) -> Whose:
    """The departments that an order is about; of what the policy does not know there are none."""
    if scope is HoldScope.CONSUMER:
        return Whose(consumer=name)
    if policy is None or scope is HoldScope.ALL:
        return Whose()
    if scope is HoldScope.RESOURCE:
        return Whose(provider=_provider(policy, ResourceId(name)))
    entry = policy.grants.get(GrantId(name))
    if entry is None:
        return Whose()
    return Whose(_provider(policy, entry.grant.resource), entry.grant.consumer)


def knows(policy: Policy, scope: HoldScope, name: str) -> bool:
    """Whether the policy has something of that name to stop."""
    names: Mapping[HoldScope, Mapping[Any, object]] = {
        HoldScope.GRANT: policy.grants,
        HoldScope.CONSUMER: policy.consumers,
        HoldScope.RESOURCE: policy.resources,
    }
    return scope is HoldScope.ALL or name in names[scope]


def _provider(policy: Policy, resource: ResourceId) -> str | None:
    entry = policy.resources.get(resource)
    return None if entry is None else entry.resource.provider
