"""What the gate's engine must know of one source: the declared rules of one policy version, no schema yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from topics.event import PolicyNumber, ProviderId, ResourceId, SchemaId, TopicName
from topics.identity.kinds import IdentityKind
from topics.quality.verdict import CompiledRules
from topics.resource import Conversion


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """How one item is made from the source's row."""

    name: str
    column: str
    conversion: Conversion
    convert: Callable[[object], object]
    """The conversion itself; raises ValueError for a value that it cannot convert."""


@dataclass(frozen=True, slots=True)
class ForeignSpec:
    """A column whose fact another department owns: every value of it is a claim."""

    column: str
    owner: ProviderId
    resource: ResourceId
    item: str


@dataclass(frozen=True, slots=True)
class ClaimSpec:
    """Where claims go and under which schema id."""

    claimant: ProviderId
    topic: TopicName
    schema_id: SchemaId


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One captured source under one policy version."""

    policy_version: PolicyNumber
    raw_topic: TopicName
    canonical_topic: TopicName
    partitions: int
    primary_key: tuple[str, ...]
    key_only_before: bool
    incarnation: int
    generation: int
    identity_kind: IdentityKind
    identity_item: str
    identity_column: str
    country_item: str | None
    items: tuple[ItemSpec, ...]
    not_ours: tuple[str, ...]
    foreign: tuple[ForeignSpec, ...]
    claims: ClaimSpec
    rules: CompiledRules
    scope_items: tuple[str, ...]
    envelope: Mapping[str, Any]
    """The Avro schema of the canonical value (topics/canonical.py)."""
    canonical_key_schema_id: SchemaId
    canonical_value_schema_id: SchemaId
    most_bytes: int
    release_header: str
    incarnation_header: str
    unavailable: str
    """Stands where the source did not send a value; never data."""
