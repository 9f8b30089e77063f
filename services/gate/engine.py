"""The gate's engines, one per captured source of the policy; the line itself is the reference."""

from collections.abc import Generator, Mapping
from typing import Any, Final

from producers.debezium import INCARNATION_HEADER, UNAVAILABLE
from services.gate.effects import MOST_BYTES
from services.gate.plan import GatePlan, SourcePlan
from services.gate.releases import RELEASE_HEADER
from services.processor.contract import finished
from topics import names
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.gate_engine import GateEngine, ReferenceEngine
from topics.engine.gate_spec import ClaimSpec, ForeignSpec, GateSpec, ItemSpec
from topics.engine.generated_gate import GeneratedGateEngine
from topics.engine.lane_book import LaneBook, RecordLaneBook
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.event import SchemaId, TopicName

_REFERENCE: Final = ReferenceEngine()


class GateEngines:
    """The engine of each raw topic; the reference where there is no faster one."""

    def __init__(self, implementation: Implementation) -> None:
        self.implementation = implementation
        self._engines: dict[TopicName, GateEngine] = {}
        self._learnt: dict[TopicName, set[SchemaId]] = {}

    def adopt(self, plan: GatePlan) -> None:
        """Compile the sources of a policy version."""
        finished(self.adopt_in_steps(plan))

    def adopt_in_steps(self, plan: GatePlan) -> Generator[None, None, None]:
        """The same, with a pause after each source."""
        engines: dict[TopicName, GateEngine] = {}
        for topic, source in plan.sources.items():
            spec = gate_spec(plan, source)
            if spec is not None:
                engines[topic] = self._engine(spec)
            yield
        self._engines, self._learnt = engines, {topic: set() for topic in engines}

    def engine_for(self, records: Records, types: Mapping[SchemaId, AvroType]) -> GateEngine:
        """The engine for these records; it has learnt the writer schemas of theirs that are known."""
        engine = self._engines.get(records.topic)
        if engine is None:
            return _REFERENCE
        learnt = self._learnt[records.topic]
        for schema_id in records.schema_ids() - learnt:
            if schema_id in types:
                engine.learn(schema_id, types[schema_id])
                learnt.add(schema_id)
        return engine

    def lane_book(self) -> LaneBook:
        """Empty lanes of the kind that the engines write to."""
        if self.implementation is Implementation.NATIVE:
            book: LaneBook = native.module("topics.engine.native_lanes").ByteLaneBook()
            return book
        return RecordLaneBook()

    def _engine(self, spec: GateSpec) -> GateEngine:
        if self.implementation is Implementation.NATIVE:
            engine: GateEngine = native.module("topics.engine.native_gate").NativeGateEngine(spec)
            return engine
        return GeneratedGateEngine(spec) if self.implementation is Implementation.GENERATED else _REFERENCE


def gate_spec(plan: GatePlan, source: SourcePlan) -> GateSpec | None:
    """What an engine must know of a captured source; None for one that is published."""
    if source.published:
        return None
    resource = source.resource
    identity = resource.identity
    return GateSpec(
        policy_version=plan.policy_version,
        raw_topic=resource.raw_topic,
        canonical_topic=resource.canonical_topic,
        partitions=resource.partitions,
        primary_key=source.primary_key,
        key_only_before=source.key_only_before,
        incarnation=source.incarnation,
        generation=source.generation,
        identity_kind=identity.kind,
        identity_item=identity.item,
        identity_column=resource.item(identity.item).source_column,
        country_item=identity.country_item,
        items=tuple(_item(item, resource.item(item.name).conversion) for item in source.items),
        not_ours=source.not_ours,
        foreign=tuple(ForeignSpec(f.column, f.owner, f.resource, f.item) for f in source.foreign),
        claims=ClaimSpec(resource.provider, names.claims(resource.provider), plan.control.ids.claim),
        rules=source.rules,
        scope_items=resource.scope_items,
        envelope=source.envelope_schema,
        canonical_key_schema_id=source.canonical_key_schema_id,
        canonical_value_schema_id=source.canonical_value_schema_id,
        most_bytes=MOST_BYTES,
        release_header=RELEASE_HEADER,
        incarnation_header=INCARNATION_HEADER,
        unavailable=UNAVAILABLE,
    )


def _item(item: Any, conversion: Any) -> ItemSpec:
    return ItemSpec(item.name, item.column, conversion, item.convert)
