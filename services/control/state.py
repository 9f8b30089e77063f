"""The words of plan and apply: topics, rights, subjects and quotas as they should be or as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from topics.event import SchemaId
from topics.policy import Policy


class ResourceType(StrEnum):
    """What a right is about, in Kafka's words."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional_id"
    CLUSTER = "cluster"


class Pattern(StrEnum):
    """Whether a right names one thing or everything that begins so."""

    LITERAL = "literal"
    PREFIXED = "prefixed"


class Right(StrEnum):
    """What the user may do; READ and WRITE include looking at the topic's description."""

    READ = "read"
    WRITE = "write"
    DESCRIBE = "describe"
    CREATE = "create"
    ALTER = "alter"
    DELETE = "delete"
    DESCRIBE_CONFIGS = "describe_configs"
    ALTER_CONFIGS = "alter_configs"
    IDEMPOTENT_WRITE = "idempotent_write"
    CLUSTER_ACTION = "cluster_action"
    ALL = "all"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One right of one user; ``allow`` false forbids it whatever else allows it."""

    user: str
    resource: ResourceType
    pattern: Pattern
    name: str
    right: Right
    allow: bool = True
    host: str = "*"

    def __str__(self) -> str:
        """For people: ``consumer-tax may READ topic sub.tax.…``."""
        verb = "may" if self.allow else "must not"
        dots = "…" if self.pattern is Pattern.PREFIXED else ""
        return f"{self.user} {verb} {self.right.value.upper()} {self.resource.value} {self.name}{dots}"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its partitions and the settings that are declared for it."""

    name: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quota:
    """Bytes per second that one user may read and write at one broker."""

    fetch_bytes: int
    produce_bytes: int


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What the definitions ask for."""

    topics: Mapping[str, Topic]
    acls: frozenset[Acl]
    users: tuple[str, ...]
    quotas: Mapping[str, Quota]
    subjects: Mapping[str, dict[str, Any]]
    """Registry subject → schema, in the order in which they are registered."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """What was found on the running stack."""

    topics: Mapping[str, Topic] = field(default_factory=dict)
    acls: frozenset[Acl] = frozenset()
    users: frozenset[str] = frozenset()
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    subjects: Mapping[str, SchemaId] = field(default_factory=dict)
    """Subjects under which exactly the desired schema is registered."""
    incompatible: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Subjects whose desired schema may not follow the registered one, and why."""
    policy: Policy | None = None
    credentials: frozenset[str] = frozenset()
    """Users of departments whose credentials file exists."""
    outdated_credentials: frozenset[str] = frozenset()
    """Users whose file names other addresses or topics than those of now."""
    connectors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
