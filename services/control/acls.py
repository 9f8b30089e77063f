"""Rights between our words and librdkafka's: read all, create, delete."""

from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from services.control import state
from services.control.state import Acl, Pattern, Right
from topics import names
from topics.event import TopicName

_TIMEOUT_S: Final = 15.0
_RESOURCES: Final = {
    state.ResourceType.TOPIC: ResourceType.TOPIC,
    state.ResourceType.GROUP: ResourceType.GROUP,
    state.ResourceType.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    state.ResourceType.CLUSTER: ResourceType.BROKER,
}
_OUR_RESOURCES: Final = {theirs: ours for ours, theirs in _RESOURCES.items()}
_PATTERNS: Final = {
    Pattern.LITERAL: ResourcePatternType.LITERAL,
    Pattern.PREFIXED: ResourcePatternType.PREFIXED,
}
_OUR_PATTERNS: Final = {theirs: ours for ours, theirs in _PATTERNS.items()}
_USER: Final = "User:"


def read_acls(admin: AdminClient) -> frozenset[Acl]:
    """Every right of every user that the broker knows."""
    # None means any name, principal and host; the class's signature does not say so.
    make: Any = AclBindingFilter
    everything = make(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    bindings = admin.describe_acls(everything, request_timeout=_TIMEOUT_S).result()
    return frozenset(_ours(binding) for binding in bindings if binding.principal.startswith(_USER))


def create_acls(admin: AdminClient, acls: Iterable[Acl]) -> None:
    """Create the rights; one that exists is left as it is."""
    wanted = [_binding(acl) for acl in acls]
    if wanted:
        for answer in admin.create_acls(wanted, request_timeout=_TIMEOUT_S).values():
            answer.result()


def delete_acls(admin: AdminClient, acls: Iterable[Acl]) -> None:
    """Delete the rights; one that does not exist is no error."""
    filters = [_filter(acl) for acl in acls]
    if filters:
        for answer in admin.delete_acls(filters, request_timeout=_TIMEOUT_S).values():
            answer.result()


def remove_readers(admin: AdminClient, topics: Iterable[str]) -> None:
    """Take every right to read that is given on exactly these topics, whoever has it, in one request.

    With a grant's topic go the separate ones of its redeliveries. Our own users read grant topics by a right
    on their prefix and keep it.
    """
    make: Any = AclBindingFilter
    filters = [
        make(ResourceType.TOPIC, name, pattern, None, None, right, AclPermissionType.ALLOW)
        for topic in topics
        for pattern, name in _places(TopicName(topic))
        for right in (AclOperation.READ, AclOperation.ALL)
    ]
    if filters:
        for answer in admin.delete_acls(filters, request_timeout=_TIMEOUT_S).values():
            answer.result()


def _places(topic: TopicName) -> Iterable[tuple[ResourcePatternType, str]]:
    """How rights name a topic and, where it is a grant's, what is redelivered beside it."""
    yield ResourcePatternType.LITERAL, topic
    if topic.startswith(names.GRANT_PREFIX):
        yield ResourcePatternType.PREFIXED, names.redelivered_prefix(topic)


def _ours(binding: Any) -> Acl:
    return Acl(
        binding.principal.removeprefix(_USER),
        _OUR_RESOURCES[binding.restype],
        _OUR_PATTERNS[binding.resource_pattern_type],
        binding.name,
        Right(binding.operation.name.lower()),
        binding.permission_type is AclPermissionType.ALLOW,
        binding.host,
    )


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(*_parts(acl))


def _filter(acl: Acl) -> AclBindingFilter:
    return AclBindingFilter(*_parts(acl))


def _parts(
    acl: Acl,
) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    return (
        _RESOURCES[acl.resource],
        acl.name,
        _PATTERNS[acl.pattern],
        f"{_USER}{acl.user}",
        acl.host,
        AclOperation[acl.right.value.upper()],
        AclPermissionType.ALLOW if acl.allow else AclPermissionType.DENY,
    )
