"""Whose a topic is, and which topics somebody may look into."""

from collections.abc import Iterable
from typing import Final

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from topics.event import TopicName
from topics.policy import Policy

_PROVIDERS: Final = ("raw", "quarantine", "claims", "stopped", "versions", "signal", "notify")
"""What a topic's name begins with where the provider comes next."""
_CONSUMERS: Final = ("sub", "parked")


def may_look(principal: Principal, action: Action, whose: Whose) -> bool:
    """Whether somebody may take an action on an object; in doubt not."""
    return isinstance(may_person(principal, action, whose), Allowed)


def whose_topic(topic: str, policy: Policy | None) -> Whose:
    """The departments of a topic: by its name, and where that does not say it by the policy.

    What belongs to nobody is seen by those only who may see everything.
    """
    head, *rest = topic.split(".")
    if head in _PROVIDERS and rest:
        return Whose(provider=rest[0])
    if head in _CONSUMERS and rest:
        return Whose(provider=_provider(topic, policy), consumer=rest[0])
    return Whose(provider=_provider(topic, policy))


def topics_seen(principal: Principal, topics: Iterable[str], policy: Policy | None) -> list[TopicName]:
    """Those of the topics whose records somebody may look at."""
    owners = owners_of(policy)
    return [
        TopicName(topic) for topic in topics if may_look(principal, Action.DATA_TAIL, _whose(topic, owners))
    ]


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


def _whose(topic: str, owners: dict[str, str]) -> Whose:
    known = whose_topic(topic, None)
    return known if known.provider is not None else Whose(owners.get(topic), known.consumer)


def _provider(topic: str, policy: Policy | None) -> str | None:
    return owners_of(policy).get(topic)
