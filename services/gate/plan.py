"""Compiles a policy version into what the gate's line needs: per raw topic one source plan."""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.load import control_schema
from services.processor.blocks import BlockWriter
from services.processor.contract import finished
from topics.canonical import CANONICAL_KEY_SCHEMA
from topics.engine.reference import ReferenceCodec
from topics.event import PolicyNumber, ProviderId, ResourceId, SchemaId, TopicName
from topics.identity.text import normalise
from topics.policy import ControlSchemas, Policy, ResourcePolicy
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.quality.verdict import CompiledRules
from topics.resource import Conversion, DirectPublication, Item, Resource

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Converter = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """How one item is made from the source's row."""

    name: str
    column: str
    convert: Converter
    """Raises ValueError for a value that it cannot convert."""


@dataclass(frozen=True, slots=True)
class ForeignPlan:
    """A column whose fact belongs to another department: cut, and kept as a claim."""

    column: str
    owner: ProviderId
    resource: ResourceId
    item: str


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Everything about one raw topic that a decision needs."""

    resource: Resource
    published: bool
    primary_key: tuple[str, ...]
    key_only_before: bool
    """The source may send only key columns as ``before``: the previous scope is unknown then."""
    incarnation: int
    generation: int
    items: tuple[ItemPlan, ...]
    not_ours: tuple[str, ...]
    """Items of the schema that another department owns: always null in what this provider publishes."""
    foreign: tuple[ForeignPlan, ...]
    rules: CompiledRules
    envelope: ReferenceCodec
    envelope_schema: Mapping[str, Any]
    canonical_key: ReferenceCodec
    canonical_key_schema_id: SchemaId
    canonical_value_schema_id: SchemaId


@dataclass(frozen=True, slots=True)
class ControlCodecs:
    """Encoders of the control records that the gate writes, with their registered ids."""

    ids: ControlSchemas
    quarantined_event: ReferenceCodec
    stopped_key: ReferenceCodec
    accepted_version: ReferenceCodec
    claim: ReferenceCodec
    epoch_marker: ReferenceCodec
    decision_block: BlockWriter

    def remembered(self, *, published: bool) -> tuple[SchemaId, ReferenceCodec]:
        """Schema id and codec of what is remembered of a raw key."""
        if published:
            return self.ids.accepted_version, self.accepted_version
        return self.ids.stopped_key, self.stopped_key


@dataclass(frozen=True, slots=True)
class GatePlan:
    """One policy version, compiled for the gate."""

    policy_version: PolicyNumber
    sources: Mapping[TopicName, SourcePlan]
    control: ControlCodecs


def compile_gate(policy: Policy) -> GatePlan:
    """Compile the policy; the same policy always gives the same decisions."""
    return finished(gate_in_steps(policy))


def gate_in_steps(policy: Policy) -> Generator[None, None, GatePlan]:
    """The same, with a pause after each source."""
    code_lists = [_code_list(name, codes) for name, codes in policy.code_lists.items()]
    sources: dict[TopicName, SourcePlan] = {}
    for topic, entry in policy.by_raw_topic().items():
        sources[topic] = _source(entry, policy, code_lists)
        yield
    return GatePlan(policy.version, sources, control_codecs(policy.control_schemas))


def control_codecs(ids: ControlSchemas) -> ControlCodecs:
    """Encoders for the shipped control schemas under their registered ids."""
    return ControlCodecs(
        ids=ids,
        quarantined_event=ReferenceCodec(control_schema("QuarantinedEvent")),
        stopped_key=ReferenceCodec(control_schema("StoppedKey")),
        accepted_version=ReferenceCodec(control_schema("AcceptedVersion")),
        claim=ReferenceCodec(control_schema("Claim")),
        epoch_marker=ReferenceCodec(control_schema("EpochMarker")),
        decision_block=BlockWriter(ids),
    )


def _source(entry: ResourcePolicy, policy: Policy, code_lists: list[CodeList]) -> SourcePlan:
    resource = entry.resource
    envelope = json.loads(entry.envelope_schema)
    primary_key = resource.source.primary_key
    published = isinstance(resource.source, DirectPublication)
    return SourcePlan(
        resource=resource,
        published=published,
        primary_key=primary_key,
        key_only_before=resource.item(resource.identity.item).source_column in primary_key,
        # A direct publisher's versions are its own: they do not begin anew with a replication slot.
        incarnation=1 if published else policy.providers[resource.provider].incarnation,
        generation=entry.generation,
        items=tuple(_item(item) for item in resource.items if not _foreign(item, resource)),
        not_ours=tuple(item.name for item in resource.items if _foreign(item, resource)),
        foreign=_foreign_plans(resource),
        rules=compile_rules(
            resource.rules, code_lists, [item.name for item in resource.items], resource.update_cycle
        ),
        envelope=ReferenceCodec(envelope),
        envelope_schema=envelope,
        canonical_key=ReferenceCodec(CANONICAL_KEY_SCHEMA),
        canonical_key_schema_id=entry.canonical_key_schema_id,
        canonical_value_schema_id=entry.canonical_value_schema_id,
    )


def _foreign(item: Item, resource: Resource) -> bool:
    """Another's item; what keys the record is a reference, not a claim to the fact."""
    keys = (resource.identity.item, resource.identity.country_item)
    return item.owner not in (None, resource.provider) and item.name not in keys


def _foreign_plans(resource: Resource) -> tuple[ForeignPlan, ...]:
    columns = [
        ForeignPlan(foreign.column, foreign.owner, foreign.resource, foreign.item)
        for foreign in resource.foreign_items
    ]
    items = [
        ForeignPlan(item.source_column, item.owner, resource.id, item.name)
        for item in resource.items
        if item.owner is not None and _foreign(item, resource)
    ]
    return (*columns, *items)


def _item(item: Item) -> ItemPlan:
    return ItemPlan(item.name, item.source_column, CONVERTERS[item.conversion])


def _code_list(name: str, codes: tuple[str, ...]) -> CodeList:
    list_name, _, version = name.partition("@")
    return CodeList(list_name, version, frozenset(codes))


def _text_only(function: Callable[[str], str]) -> Converter:
    return lambda value: function(value) if isinstance(value, str) else value


def _as_text(value: object) -> object:
    return value if value is None or isinstance(value, str) else str(value)


def _iso_timestamp(value: object) -> object:
    if value is None:
        return None
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _microseconds(value: object) -> object:
    return None if value is None else int(str(value)) // 1000


CONVERTERS: Final[Mapping[Conversion, Converter]] = {
    Conversion.NONE: lambda value: value,
    Conversion.TRIM: _text_only(str.strip),
    Conversion.UPPER: _text_only(str.upper),
    Conversion.NORMALISE: _text_only(normalise),
    Conversion.TEXT: _as_text,
    Conversion.ISO_TIMESTAMP: _iso_timestamp,
    Conversion.MICROSECONDS: _microseconds,
}
