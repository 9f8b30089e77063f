"""What commands ask of the newest policy version."""

from dataclasses import replace

from confluent_kafka import KafkaException

from services.control.definitions import Definitions
from services.control.policy_topic import PolicyUnreadable, newest_policy
from services.stack.api import Stack
from services.stack.errors import PolicyUnread, StackError
from topics import names
from topics.policy import Policy

_TIMEOUT_SECONDS = 10.0


def current_policy(stack: Stack) -> Policy | None:
    """The newest policy of a running stack; None before the first apply."""
    admin = stack.admin()
    if names.POLICY not in admin.list_topics(timeout=_TIMEOUT_SECONDS).topics:
        return None
    return newest_policy(stack.kafka_config("admin"))


def without_sample_grants(declared: Definitions, stack: Stack) -> Definitions:
    """The sample city's definitions as they count on a stack: once cases decide, without its grants.

    Nobody can take files out of a package, and `apply` refuses grants in files then. Where the policy cannot
    be read they stay: whoever works with them reads it too, and says why it cannot.
    """
    try:
        policy = current_policy(stack)
    except (PolicyUnreadable, KafkaException, ValueError, StackError):
        return declared
    return replace(declared, grants={}) if policy is not None and policy.by_cases else declared


def groups_of_policy(stack: Stack) -> list[str] | None:
    """The grant groups that the newest policy names; None before the first apply.

    Raises:
        PolicyUnread: it cannot be read.
    """
    try:
        policy = current_policy(stack)
    except (PolicyUnreadable, KafkaException, ValueError) as error:
        raise PolicyUnread(str(error)) from error
    return None if policy is None else policy.groups()
