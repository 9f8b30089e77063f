"""The fan-out's line: authorise, filter rows, project, mask; one for live, back-fill, replay and explain.

Pure: one canonical record and the compiled grants go in, one outcome per grant comes out. Default deny: what
no active grant covers is withheld, with the reason.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.fanout.plan import FanoutPlan, GrantPlan, ResourcePlan
from topics.delivery import Delivery, delivery_headers, event_id, event_source, event_time
from topics.disputes import WHOLE, DisputeMarks
from topics.engine.reference import ReferenceCodec
from topics.engine.resolution import ResolvedState, form_of
from topics.engine.schema import AvroType, RecordType
from topics.event import (
    EntityKey,
    GrantId,
    KafkaRecord,
    Operation,
    OutputRecord,
    PolicyNumber,
    Record,
    RecordId,
    ResourceId,
    SchemaId,
    SourcePosition,
    TopicName,
    WithheldReason,
)
from topics.grants.declaration import GrantState
from topics.grants.keys import pseudonym
from topics.wire import frame, split

Codecs = Mapping[SchemaId, ReferenceCodec]


class DeliveryKind(StrEnum):
    """Each canonical record has, per grant and generation, exactly one of these."""

    DELIVERED = "delivered"
    TOMBSTONED = "tombstoned"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class GrantOutcome:
    """What became of one canonical record under one grant."""

    grant: GrantId
    generation: int
    kind: DeliveryKind
    withheld: WithheldReason | None = None
    output: OutputRecord | None = None


@dataclass(frozen=True, slots=True)
class Canonical:
    """A decoded canonical record."""

    record: KafkaRecord
    resource: ResourceId
    key: EntityKey
    operation: Operation
    position: SourcePosition
    source_time_ms: int
    raw: tuple[TopicName, int, int]
    marks: tuple[str, ...]
    previous_known: bool
    previous: Record | None
    state: Record | None
    disputed: frozenset[str] = frozenset()
    """Items that are disputed and still say what is disputed, or ``WHOLE``."""


def fan_out(
    record: KafkaRecord,
    plan: FanoutPlan,
    codecs: Codecs,
    delivered_before: Container[bytes] | None = None,
    disputes: DisputeMarks | None = None,
) -> tuple[GrantOutcome, ...] | None:
    """Decide one canonical record under every grant of the plan; None for the tombstone after a delete.

    ``delivered_before`` is given only in an epoch of a grant: the grant keys that the epoch has delivered so
    far. There an unknown previous scope means "delivered in this epoch"; what an older generation delivered
    is removed by the epoch's sweep.
    ``disputes`` are those that are open: they change a header and nothing else.
    """
    if record.value is None:
        return None
    resource = plan.resources[record.topic]
    canonical = decode(record, resource, plan, codecs)
    if disputes is not None:
        canonical = replace(canonical, disputed=_disputed(canonical, disputes))
    return tuple(
        _decide_safely(canonical, grant, plan.policy_version, delivered_before) for grant in resource.grants
    )


def decode(record: KafkaRecord, resource: ResourcePlan, plan: FanoutPlan, codecs: Codecs) -> Canonical:
    """Bytes to the canonical record; what the gate wrote always decodes."""
    schema_id, avro = split(record.value or b"")
    codec = codecs[schema_id]
    found = codec.decode(avro)
    key = plan.key_codec.decode(split(record.key or b"")[1])
    return Canonical(
        record=record,
        resource=resource.resource,
        key=EntityKey(str(key["identity"]), RecordId(str(key["record_id"]))),
        operation=Operation(str(found["operation"])),
        position=SourcePosition(*(int(str(found[name])) for name in _POSITION)),
        source_time_ms=int(str(found["source_time"])),
        raw=(
            TopicName(str(found["raw_topic"])),
            int(str(found["raw_partition"])),
            int(str(found["raw_offset"])),
        ),
        marks=_texts(found["marks"]),
        previous_known=bool(found["previous_known"]),
        previous=_record(found["previous"]),
        state=_state(_record(found["state"]), codec.type, resource.items),
    )


def _disputed(canonical: Canonical, disputes: DisputeMarks) -> frozenset[str]:
    record = canonical.record
    met = disputes.met(canonical.resource, record.partition, split(record.key or b"")[1])
    return disputes.items(met, canonical.state) if met else frozenset()


def _state(state: Record | None, writer: AvroType, items: RecordType) -> Record | None:
    """The state in the items of the policy, whichever schema it was written with."""
    written = writer.field("state") if isinstance(writer, RecordType) else None
    if state is None or written is None:
        return state
    own = form_of(written.type).base
    if own is items or own == items or not isinstance(own, RecordType):
        return state
    return ResolvedState(state, own, items)


def _decide_safely(
    canonical: Canonical, grant: GrantPlan, version: PolicyNumber, before: Container[bytes] | None
) -> GrantOutcome:
    try:
        return _decide(canonical, grant, version, before)
    except Exception:  # noqa: BLE001 - a defect under one grant must not hold back the others
        return _withheld(grant, WithheldReason.INTERNAL)


_POSITION = ("generation", "incarnation", "commit", "ordinal")


def _decide(
    canonical: Canonical, grant: GrantPlan, version: PolicyNumber, before: Container[bytes] | None
) -> GrantOutcome:
    refused = authorise(canonical, grant, copying=before is not None)
    if refused is not None:
        return _withheld(grant, refused)
    key = grant_record_key(canonical.key, grant)
    if canonical.operation is not Operation.DELETE and grant.rows.matches(canonical.state or {}):
        return _delivered(canonical, grant, version, key)
    if was_inside(canonical, grant, key, before):
        return _tombstoned(canonical, grant, version, key)
    return _withheld(grant, WithheldReason.OUTSIDE_ROWS)


def authorise(canonical: Canonical, grant: GrantPlan, *, copying: bool) -> WithheldReason | None:
    """Why the grant does not cover the record now, or None if it does."""
    if grant.state is GrantState.REVOKED:
        return WithheldReason.REVOKED
    if grant.state is GrantState.SUSPENDED:
        return WithheldReason.SUSPENDED
    if canonical.record.timestamp_ms < grant.valid_from_ms:
        return WithheldReason.NOT_YET_VALID
    if canonical.record.timestamp_ms >= grant.valid_until_ms:
        return WithheldReason.EXPIRED
    if copying:
        return None
    if grant.state is GrantState.FILLING:
        return WithheldReason.FILLED_BY_EPOCH
    if canonical.record.offset < grant.starts_at.get(canonical.record.partition, 0):
        return WithheldReason.FILLED_BY_EPOCH
    return None


def was_inside(canonical: Canonical, grant: GrantPlan, key: bytes, before: Container[bytes] | None) -> bool:
    """Whether the consumer may hold the previous state of the key: a tombstone is owed then."""
    if before is not None:
        return key in before
    if not canonical.previous_known:
        return True
    if canonical.previous is None:
        return False
    # An envelope written before the item became a scope item cannot tell.
    if any(item not in canonical.previous for item, _values in grant.rows.filters):
        return True
    return grant.rows.matches(canonical.previous)


def grant_record_key(key: EntityKey, grant: GrantPlan) -> bytes:
    """The record key on the grant's topic: canonical where nothing leaks by it, a pseudonym elsewhere."""
    if grant.canonical_key:
        fields = {"identity": key.identity, "record_id": key.record_id}
    else:
        fields = {"pseudonym": pseudonym(grant.secret_key, key)}
    return frame(grant.key_schema_id, grant.key_codec.encode(fields))


def _delivered(canonical: Canonical, grant: GrantPlan, version: PolicyNumber, key: bytes) -> GrantOutcome:
    value = grant.value_codec.encode(grant.projector.project(canonical.state or {}))
    output = OutputRecord(
        grant.topic,
        canonical.record.partition,
        key,
        frame(grant.value_schema_id, value),
        _headers(canonical, grant, version, canonical.operation),
    )
    return GrantOutcome(grant.grant, grant.generation, DeliveryKind.DELIVERED, output=output)


def _tombstoned(canonical: Canonical, grant: GrantPlan, version: PolicyNumber, key: bytes) -> GrantOutcome:
    headers = _headers(canonical, grant, version, Operation.DELETE)
    output = OutputRecord(grant.topic, canonical.record.partition, key, None, headers)
    return GrantOutcome(grant.grant, grant.generation, DeliveryKind.TOMBSTONED, output=output)


def _withheld(grant: GrantPlan, reason: WithheldReason) -> GrantOutcome:
    return GrantOutcome(grant.grant, grant.generation, DeliveryKind.WITHHELD, withheld=reason)


def internal_defect(record: KafkaRecord, plan: FanoutPlan) -> tuple[GrantOutcome, ...]:
    """A record that our own code cannot handle is withheld from every grant, and counted with its reason."""
    grants = plan.resources[record.topic].grants
    return tuple(_withheld(grant, WithheldReason.INTERNAL) for grant in grants)


def _headers(
    canonical: Canonical, grant: GrantPlan, version: PolicyNumber, operation: Operation
) -> tuple[tuple[str, bytes], ...]:
    return delivery_headers(
        Delivery(
            ce_id=event_id(*canonical.raw),
            ce_source=event_source(canonical.resource),
            ce_time=event_time(canonical.source_time_ms),
            operation=operation,
            position=canonical.position,
            grant=grant.grant,
            grant_generation=grant.generation,
            policy_version=version,
            marks=canonical.marks if operation is not Operation.DELETE else (),
            disputed=_disputed_of(canonical, grant) if operation is not Operation.DELETE else (),
        )
    )


def _disputed_of(canonical: Canonical, grant: GrantPlan) -> tuple[str, ...]:
    """What of it concerns the grant: an item that it does not show is not named."""
    shown = {name for name, _ in grant.projector.items} | {WHOLE}
    return tuple(sorted(canonical.disputed & shown))


def _record(value: object) -> Record | None:
    return value if isinstance(value, dict) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()
