"""Which topics somebody may look into."""

from collections.abc import Iterable

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.control.owners import owners_of, whose_topic
from topics.event import TopicName
from topics.names import grant_topic_of
from topics.policy import Policy


def may_look(principal: Principal, action: Action, whose: Whose) -> bool:
    """Whether somebody may take an action on an object; in doubt not."""
    return isinstance(may_person(principal, action, whose), Allowed)


def topics_seen(principal: Principal, topics: Iterable[str], policy: Policy | None) -> list[TopicName]:
    """Those of the topics whose records somebody may look at."""
    owners = owners_of(policy)
    return [
        TopicName(topic) for topic in topics if may_look(principal, Action.DATA_TAIL, _whose(topic, owners))
    ]


def _whose(topic: str, owners: dict[str, str]) -> Whose:
    known = whose_topic(topic, None)
    if known.provider is not None:
        return known
    return Whose(owners.get(grant_topic_of(topic)), known.consumer)
