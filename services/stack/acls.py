"""Rights that do not wait for the first apply: what Connect's worker itself needs, and the doctor's look."""

from collections.abc import Iterable
from typing import Final, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

DOCTOR: Final = "doctor"
WORKER_GROUP: Final = "connect-govbus"
WORKER_TOPICS: Final = {"_connect-configs": 1, "_connect-offsets": 4, "_connect-status": 2}
_TIMEOUT_S: Final = 15.0


def allow(
    user: str,
    kind: ResourceType,
    name: str,
    operations: Iterable[AclOperation],
    pattern: ResourcePatternType = ResourcePatternType.LITERAL,
) -> list[AclBinding]:
    """Return the bindings that allow a user the operations on one resource (or on all with a prefix)."""
    return [
        AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)
        for operation in operations
    ]


def worker_acls() -> list[AclBinding]:
    """Return the worker's own ACLs; those of connectors (topics, sink groups) come with the connectors.

    An exactly-once source task's transactional id is ``<group>-<connector>-<task>``; the leader's is
    ``connect-cluster-<group>`` (KIP-618).
    """
    read, write, describe = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
    bindings = allow("connect", ResourceType.GROUP, WORKER_GROUP, [read])
    for topic in WORKER_TOPICS:
        bindings += allow("connect", ResourceType.TOPIC, topic, [read, write, AclOperation.DESCRIBE_CONFIGS])
    for identifier in (f"connect-cluster-{WORKER_GROUP}", f"{WORKER_GROUP}-"):
        pattern = ResourcePatternType.PREFIXED if identifier.endswith("-") else ResourcePatternType.LITERAL
        bindings += allow("connect", ResourceType.TRANSACTIONAL_ID, identifier, [write, describe], pattern)
    return bindings


def doctor_acls() -> list[AclBinding]:
    """Return what the doctor looks at, also before the first apply: descriptions of everything, no record."""
    looks = [AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS]
    return [
        *allow(DOCTOR, ResourceType.TOPIC, "*", looks),
        *allow(DOCTOR, ResourceType.GROUP, "*", looks[:1]),
        *allow(DOCTOR, ResourceType.BROKER, "kafka-cluster", looks),
    ]


def ensure_acls(admin: AdminClient, bindings: Iterable[AclBinding]) -> int:
    """Create the bindings that the broker does not have; return how many that were."""
    present = set(admin.describe_acls(_everything(), request_timeout=_TIMEOUT_S).result())
    missing = [binding for binding in bindings if binding not in present]
    if missing:
        for answer in admin.create_acls(missing, request_timeout=_TIMEOUT_S).values():
            answer.result()
    return len(missing)


def _everything() -> AclBindingFilter:
    # No name means any name; the library's types do not know that.
    anything = cast("str", None)
    return AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        anything,
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def ensure_own_acls(admin: AdminClient) -> None:
    """Allow Connect's worker what it needs for itself, and the doctor to look."""
    ensure_acls(admin, [*worker_acls(), *doctor_acls()])


def ensure_worker_topics(admin: AdminClient) -> None:
    """Make Connect's own topics; the worker may not make any."""
    present = set(admin.list_topics(timeout=_TIMEOUT_S).topics)
    config = {"cleanup.policy": "compact"}
    wanted = [
        NewTopic(name, num_partitions=partitions, replication_factor=1, config=config)
        for name, partitions in WORKER_TOPICS.items()
        if name not in present
    ]
    answers = admin.create_topics(wanted, request_timeout=_TIMEOUT_S) if wanted else {}
    for answer in answers.values():
        try:
            answer.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
