"""Fan-outs made up for tests: item schemas, grants, canonical records, and all engines over them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import fastavro

from services.fanout.engine import make_engine
from services.fanout.plan import FanoutPlan, GrantPlan, ResourcePlan
from services.fanout.projection import compile_projector
from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA, envelope_schema
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec, without_logical_types
from topics.engine.schema import RecordType, parse
from topics.event import (
    ConsumerId,
    GrantId,
    KafkaRecord,
    OutputRecord,
    PolicyNumber,
    ResourceId,
    SchemaId,
    TopicName,
)
from topics.grants.declaration import Grant, GrantState, Mask, RowFilter
from topics.grants.keys import grant_key
from topics.grants.projection import projected_schema
from topics.grants.rows import compile_rows
from topics.wire import frame

TOPIC: Final = TopicName("resource.test.thing.v1")
RESOURCE: Final = ResourceId("test.thing.v1")
WRITER: Final = SchemaId(100)
PARTITION: Final = 3
NOON: Final = 1_790_000_000_000
MADE: Final = (
    [Implementation.NATIVE, Implementation.GENERATED] if native.compiled() else [Implementation.GENERATED]
)


@dataclass(frozen=True)
class GrantCase:
    """What differs between made-up grants."""

    items: tuple[str, ...]
    masks: Mapping[str, Mask] = field(default_factory=dict)
    rows: tuple[RowFilter, ...] = ()
    state: GrantState = GrantState.ACTIVE
    valid_from_ms: int = 0
    valid_until_ms: int = 2**62
    starts_at: Mapping[int, int] = field(default_factory=dict)
    canonical_key: bool = False


def item_schema(fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of a resource with these items."""
    return {"type": "record", "name": "Thing", "namespace": "test", "fields": [dict(each) for each in fields]}


def plan_of(items: dict[str, Any], cases: Sequence[GrantCase]) -> FanoutPlan:
    """A plan with these grants, as the policy would lead to it."""
    parsed = parse(without_logical_types(items))
    assert isinstance(parsed, RecordType)
    grants = tuple(_grant(items, number, case) for number, case in enumerate(cases))
    resource = ResourcePlan(RESOURCE, TOPIC, parsed, grants)
    return FanoutPlan(PolicyNumber(7), {TOPIC: resource}, ReferenceCodec(CANONICAL_KEY_SCHEMA))


def _grant(items: dict[str, Any], number: int, case: GrantCase) -> GrantPlan:
    declared = Grant.model_construct(
        id=GrantId(f"grant-{number}"),
        consumer=ConsumerId("someone"),
        resource=RESOURCE,
        items=case.items,
        masks=dict(case.masks),
        rows=case.rows,
        purpose="a test",
        legal_basis="none",
        valid_from=date(2025, 1, 1),
        valid_until=date(2034, 12, 31),
        state=case.state,
    )
    secret = grant_key(b"m" * 32, declared.id, 1)
    value_schema = projected_schema(items, declared)
    return GrantPlan(
        grant=declared.id,
        topic=declared.topic,
        state=case.state,
        generation=number + 1,
        valid_from_ms=case.valid_from_ms,
        valid_until_ms=case.valid_until_ms,
        starts_at=case.starts_at,
        active_since=PolicyNumber(1),
        rows=compile_rows(case.rows),
        projector=compile_projector(value_schema, case.masks, secret),
        canonical_key=case.canonical_key,
        secret_key=secret,
        key_codec=ReferenceCodec(CANONICAL_KEY_SCHEMA if case.canonical_key else PSEUDONYM_KEY_SCHEMA),
        key_schema_id=SchemaId(200 + number),
        value_codec=ReferenceCodec(value_schema),
        value_schema_id=SchemaId(300 + number),
        masks=case.masks,
    )


def encoded(schema: Any, datum: Any) -> bytes:
    """One datum as fastavro writes it."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(without_logical_types(schema)), datum)
    return stream.getvalue()


def canonical_record(
    items: dict[str, Any],
    scope: tuple[str, ...],
    state: Mapping[str, Any] | None,
    *,
    offset: int = 0,
    timestamp_ms: int = NOON,
    identity: str = "resident_id:11010519491231002X",
    **changed: Any,
) -> KafkaRecord:
    """A canonical record as the gate writes it."""
    envelope = {
        "operation": "update",
        "generation": 1,
        "incarnation": 2,
        "commit": 300_000_000_000,
        "ordinal": offset,
        "source_time": NOON - 1234,
        "raw_topic": "raw.police.public.thing",
        "raw_partition": 1,
        "raw_offset": offset,
        "policy_version": 6,
        "marks": [],
        "previous_known": True,
        "previous": None,
        "state": state,
        **changed,
    }
    value = encoded(envelope_schema(items, scope), envelope)
    key = encoded(CANONICAL_KEY_SCHEMA, {"identity": identity, "record_id": str(offset)})
    return KafkaRecord(TOPIC, PARTITION, offset, timestamp_ms, frame(SchemaId(1), key), frame(WRITER, value))


def decided(
    wanted: Implementation,
    plan: FanoutPlan,
    writer: Any,
    records: Sequence[KafkaRecord],
    before: Before | None = None,
) -> Decided:
    """What one engine makes of the records, which are written with one schema."""
    engine = make_engine(wanted, plan, plan.resources[TOPIC], {WRITER: ReferenceCodec(writer)})
    return engine.decide(PartitionRecords(TOPIC, PARTITION, records), {WRITER: parse(writer)}, before)


def shown(found: Decided) -> dict[str, Any]:
    """Everything that counts of a result, comparable."""
    return {
        "canonical": found.canonical,
        "control": found.control,
        "grants": [
            (count.grant, count.generation, count.delivered, count.tombstoned, dict(count.withheld))
            for count in found.grants
        ],
        "lanes": [(lane.topic, lane.partition, list(lane), lane.digest()) for lane in found.lanes],
    }


def outputs_of(found: Decided) -> list[OutputRecord]:
    """Every output, grant by grant."""
    return [output for lane in found.lanes for output in lane]


def assert_alike(
    plan: FanoutPlan,
    writer: Any,
    records: Sequence[KafkaRecord],
    before: frozenset[bytes] | None = None,
) -> Decided:
    """All engines make the same of the records; returns what the reference made."""
    epochs = {each: None if before is None else set(before) for each in Implementation}
    expected = decided(Implementation.REFERENCE, plan, writer, records, epochs[Implementation.REFERENCE])
    for wanted in MADE:
        found = decided(wanted, plan, writer, records, epochs[wanted])
        assert shown(found) == shown(expected), wanted
        assert epochs[wanted] == epochs[Implementation.REFERENCE], wanted
    return expected
