"""The gate's line: decode, interpret, version, identify, one source, assess, encode.

One for live, replay and explain. Pure: one raw record, the compiled policy, its schemas and what is
remembered of its key go in, one decision comes out. A stage returns its value or ``Stopped``; nothing here
raises for data, waits, or looks at a clock: the record's broker timestamp is its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from producers.debezium import change_from_envelope, incarnation_of, is_unavailable
from producers.publication import change_from_publication, in_its_place
from services.gate.effects import (
    MOST_BYTES,
    Acceptance,
    Effects,
    accepted_effects,
    claim_outputs,
    stopped_effects,
    truncate_effects,
)
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import GatePlan, SourcePlan
from services.gate.releases import is_release, refusal, released_offset
from services.gate.stopped import LastAccepted, StoppedEntry
from services.gate.versions import AcceptedVersion, Remembered, Standing
from services.gate.withdrawals import decide_withdrawal
from topics.engine.reference import ReferenceCodec, Undecodable
from topics.event import (
    Change,
    ControlReason,
    EntityKey,
    KafkaRecord,
    Operation,
    Record,
    SchemaId,
    Step,
    Stopped,
    StopReason,
    SupersededReason,
)
from topics.identity.check import check, identity_key
from topics.identity.kinds import IdentityKind
from topics.quality.values import civil_day
from topics.quality.verdict import AssessmentContext
from topics.wire import NotFramed, split
from topics.withdrawal import is_withdrawal

Codecs = Mapping[SchemaId, ReferenceCodec]


@dataclass(frozen=True, slots=True)
class Identified:
    """A change of which we know whom it is about, before and after."""

    change: Change
    items: Record
    key: EntityKey
    before_key: EntityKey | None
    before_items: Record | None


def decide(record: KafkaRecord, plan: GatePlan, codecs: Codecs, entry: Remembered | None) -> Decision:
    """Decide one raw record; ``entry`` is what is remembered of its raw key."""
    source = plan.sources.get(record.topic)
    if source is None:
        stop = Stopped(
            Step.DECODE, StopReason.UNKNOWN_SOURCE, "no resource declares this topic as its source"
        )
        return _stopped(record, plan, stop, entry, LastAccepted(False, None))
    entry = entry_for(source, entry)
    if record.value is None:
        return _control(ControlReason.TOMBSTONE)
    if len(record.value) > MOST_BYTES:
        stop = Stopped(Step.DECODE, StopReason.TOO_LARGE, f"{len(record.value)} bytes, {MOST_BYTES} at most")
        return _stopped(record, plan, stop, entry, LastAccepted(False, None))
    if is_withdrawal(record) and not source.published:
        return decide_withdrawal(record, plan, source, entry)
    refused = refusal(record, entry, published=source.published)
    if refused is not None:
        return _superseded(refused, entry if isinstance(entry, StoppedEntry) else None)
    return _decide_change(record, plan, source, codecs, entry)


def _decide_change(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, codecs: Codecs, entry: Remembered | None
) -> Decision:
    unknown = LastAccepted(False, None)
    envelope = decode(record, codecs)
    if isinstance(envelope, Stopped):
        return _stopped(record, plan, envelope, entry, unknown)
    change = interpret(envelope, record, source)
    if isinstance(change, ControlReason):
        return _control(change, record, plan, source)
    if isinstance(change, Stopped):
        return _stopped(record, plan, change, entry, unknown)
    settled = order(record, plan, change, entry)
    if settled is not None:
        return settled
    if change.operation is Operation.DELETE and entry is not None:
        key = withdrawn_key(change, source, record, entry)
        return _accepted(record, plan, source, Acceptance.withdrawal(change, key), (), entry)
    last = last_accepted(change, source, record)
    identified = identify(change, source, record)
    if isinstance(identified, Stopped):
        return _stopped(record, plan, identified, entry, last)
    owned = one_source(identified, source)
    if isinstance(owned, Stopped):
        return _stopped(record, plan, owned, entry, last)
    claims = claim_outputs(record, plan, source, owned.key.identity, change.after or {})
    marks = assess(owned, source, record)
    if isinstance(marks, Stopped):
        return _stopped(record, plan, marks, entry, last)
    acceptance = Acceptance(change, owned.items, owned.key, owned.before_key, owned.before_items, marks)
    return _accepted(record, plan, source, acceptance, claims, entry, last)


def decode(record: KafkaRecord, codecs: Codecs) -> Record | Stopped:
    """Bytes to the writer's record."""
    try:
        schema_id, avro = split(record.value or b"")
    except NotFramed as error:
        return Stopped(Step.DECODE, StopReason.UNDECODABLE, str(error))
    codec = codecs.get(schema_id)
    if codec is None:
        return Stopped(
            Step.DECODE, StopReason.UNKNOWN_SCHEMA, f"the registry has no usable schema {schema_id}"
        )
    try:
        return codec.decode(avro)
    except Undecodable as error:
        return Stopped(Step.DECODE, StopReason.UNDECODABLE, str(error))


def interpret(envelope: Record, record: KafkaRecord, source: SourcePlan) -> Change | ControlReason | Stopped:
    """The way in's own envelope to a change in the provider's columns."""
    released = released_offset(record)
    ordinal = record.offset if released is None else released
    if source.published:
        change = change_from_publication(
            envelope, source.primary_key, source.incarnation, source.generation, ordinal
        )
        if isinstance(change, Stopped):
            return change
        return in_its_place(change, record.key, record.partition, source.resource.partitions)
    row = envelope.get("after") or envelope.get("before")
    incarnation = incarnation_of(record.headers) or source.incarnation
    key = row if isinstance(row, Mapping) else None
    return change_from_envelope(key, envelope, source.primary_key, incarnation, source.generation, ordinal)


def order(record: KafkaRecord, plan: GatePlan, change: Change, entry: Remembered | None) -> Decision | None:
    """What settles a published change that is not newer than the accepted version of its key; else None."""
    if not isinstance(entry, AcceptedVersion):
        return None
    standing = entry.standing_of(change)
    if standing is Standing.NEWER:
        return None
    if standing is Standing.OLDER:
        return _superseded(SupersededReason.OLDER_VERSION, entry)
    if is_release(record):
        return _superseded(SupersededReason.NOTHING_PENDING, entry)
    if standing is Standing.SENT_AGAIN:
        return Decision(OutcomeKind.DUPLICATE, None, entry_met=entry)
    stop = Stopped(Step.VERSION, StopReason.VERSION_REUSED, "another record of the same version was accepted")
    return _stopped(record, plan, stop, entry, LastAccepted(False, None))


def identify(change: Change, source: SourcePlan, record: KafkaRecord) -> Identified | Stopped:
    """Whom the change is about (A5-02, A5-03), before and after it."""
    if change.row is None:
        return Stopped(Step.IDENTIFY, StopReason.PREVIOUS_STATE_MISSING, "a delete without the deleted row")
    items = map_items(change.row, source)
    if isinstance(items, Stopped):
        return items
    key = entity_key(items, change, source, record)
    if isinstance(key, Stopped):
        return key
    if change.operation is Operation.DELETE:
        return Identified(change, items, key, None, None)
    before = _before(change, source, record)
    if isinstance(before, Stopped):
        return before
    before_key, before_items = before
    return Identified(change, items, key, before_key, before_items)


def one_source(identified: Identified, source: SourcePlan) -> Identified | Stopped:
    """Keep the items that are the provider's own (A5-01); the record stops only where none is."""
    keys = {source.resource.identity.item, source.resource.identity.country_item}
    own = [name for name in identified.items if name not in keys and name not in source.not_ours]
    if not own:
        detail = f"{source.resource.provider} owns no item of this record"
        return Stopped(Step.ONE_SOURCE, StopReason.NOT_THE_SOURCE, detail)
    cut = dict.fromkeys(source.not_ours)
    before = identified.before_items and {**identified.before_items, **cut}
    return replace(identified, items={**identified.items, **cut}, before_items=before)


def assess(identified: Identified, source: SourcePlan, record: KafkaRecord) -> tuple[str, ...] | Stopped:
    """Judge quality by the declared rules; returns the marks that travel with the record."""
    if identified.change.operation is Operation.DELETE:
        return ()
    context = AssessmentContext(record.timestamp_ms, identified.change.source_time_ms)
    verdict = source.rules.assess(identified.items, context)
    if verdict.stops:
        detail = "; ".join(f"{finding.code}: {', '.join(finding.items)}" for finding in verdict.stops)
        rules = tuple(finding.rule for finding in verdict.stops)
        return Stopped(Step.ASSESS, StopReason.QUALITY, detail, rules)
    return tuple(finding.rule for finding in verdict.marks)


def entry_for(source: SourcePlan, entry: Remembered | None) -> Remembered | None:
    """The entry, if it is about what this source feeds: another version of a resource begins with nothing."""
    if isinstance(entry, AcceptedVersion):
        return entry if source.published and entry.resource_version == source.resource.version else None
    return None if source.published else entry


def last_accepted(change: Change, source: SourcePlan, record: KafkaRecord) -> LastAccepted:
    """What a change without a pending entry tells about the last accepted state of its key.

    Without an entry every earlier change of the key was accepted, so the row before this one is that state.
    """
    if change.operation is Operation.CREATE:
        return LastAccepted(True, None)
    if change.operation is Operation.READ:
        # A snapshot that was begun again may read a row that was accepted before, in another state.
        return LastAccepted(False, None)
    before = _before(replace(change, operation=Operation.UPDATE), source, record)
    if isinstance(before, Stopped) or before[0] is None:
        return LastAccepted(False, None)
    return LastAccepted(True, before[0])


def withdrawn_key(
    change: Change, source: SourcePlan, record: KafkaRecord, entry: Remembered
) -> EntityKey | None:
    """What deleting a row with stopped changes withdraws: its last accepted state, not the stopped one.

    Where that state is not known, the deleted row's own key is all that can be told; it names this row only.
    """
    if entry.last_accepted_known:
        return entry.last_accepted
    identified = identify(change, source, record)
    return None if isinstance(identified, Stopped) else identified.key


def map_items(row: Record, source: SourcePlan) -> Record | Stopped:
    """The provider's columns to the resource's items; a placeholder is never taken for a value."""
    items: dict[str, object] = {}
    for item in source.items:
        if item.column not in row:
            return Stopped(Step.INTERPRET, StopReason.ITEM_MISSING, f"the row has no column {item.column}")
        value = row[item.column]
        if is_unavailable(value):
            detail = f"the source did not send the unchanged value of {item.column}"
            return Stopped(Step.INTERPRET, StopReason.ITEM_UNAVAILABLE, detail)
        try:
            items[item.name] = item.convert(value)
        except ValueError:
            return Stopped(Step.INTERPRET, StopReason.CONVERSION_FAILED, f"{item.column} cannot be converted")
    return items


def entity_key(items: Record, change: Change, source: SourcePlan, record: KafkaRecord) -> EntityKey | Stopped:
    """The canonical key of these items, if they hold a valid identity."""
    identity = source.resource.identity
    value = items.get(identity.item)
    if value is None or value == "":
        return Stopped(Step.IDENTIFY, StopReason.IDENTITY_MISSING, f"{identity.item} is empty")
    country = items.get(identity.country_item) if identity.country_item else None
    country_text = None if country is None else str(country)
    if identity.kind is IdentityKind.PASSPORT and not country_text:
        return Stopped(Step.IDENTIFY, StopReason.IDENTITY_MISSING, "a passport needs its issuing country")
    verdict = check(identity.kind, str(value), civil_day(record.timestamp_ms), country_text)
    if not verdict.valid:
        return Stopped(Step.IDENTIFY, StopReason.IDENTITY_INVALID, f"{identity.item}: {verdict.reason}")
    return EntityKey(identity_key(identity.kind, verdict.value, country_text), change.record_id)


def _before(
    change: Change, source: SourcePlan, record: KafkaRecord
) -> tuple[EntityKey | None, Record | None] | Stopped:
    """Key and items of the row before an update; (None, None) where the source does not tell."""
    if change.previous_identity is not None:
        items: Record = {source.resource.identity.item: change.previous_identity}
        key = entity_key(items, change, source, record)
        return key if isinstance(key, Stopped) else (key, None)
    if change.operation is not Operation.UPDATE or change.before is None:
        return None, None
    if source.key_only_before:
        identity = source.resource.item(source.resource.identity.item)
        known: Record = {identity.name: change.before.get(identity.source_column)}
        key = entity_key(known, change, source, record)
        return (None, None) if isinstance(key, Stopped) else (key, None)
    mapped = map_items(change.before, source)
    if isinstance(mapped, Stopped):
        return None, None
    key = entity_key(mapped, change, source, record)
    return (None, None) if isinstance(key, Stopped) else (key, mapped)


def _control(
    reason: ControlReason,
    record: KafkaRecord | None = None,
    plan: GatePlan | None = None,
    source: SourcePlan | None = None,
) -> Decision:
    effects = Effects()
    if reason is ControlReason.TRUNCATE and record and plan and source:
        effects = truncate_effects(record, plan, source)
    return Decision(OutcomeKind.CONTROL, reason.value, outputs=effects.outputs)


def _superseded(reason: SupersededReason, entry: Remembered | None = None) -> Decision:
    return Decision(OutcomeKind.SUPERSEDED, reason.value, entry_met=entry)


def _stopped(
    record: KafkaRecord, plan: GatePlan, stop: Stopped, entry: Remembered | None, last: LastAccepted
) -> Decision:
    effects = stopped_effects(record, plan, stop, entry, last)
    return Decision(
        OutcomeKind.STOPPED,
        stop.reason.value,
        stopped=stop,
        outputs=effects.outputs,
        entry_changed=effects.entry_changed,
        entry_after=effects.entry_after,
        entry_met=entry,
    )


def stop_internal(record: KafkaRecord, plan: GatePlan, entry: Remembered | None, defect: str) -> Decision:
    """Quarantine a record that our own code cannot handle; ``defect`` names the error's type only."""
    stop = Stopped(Step.DECODE, StopReason.INTERNAL, f"a defect of ours: {defect}")
    return _stopped(record, plan, stop, entry, LastAccepted(False, None))


def _accepted(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    acceptance: Acceptance,
    claims: tuple[Any, ...],
    entry: Remembered | None,
    last: LastAccepted | None = None,
) -> Decision:
    effects = accepted_effects(record, plan, source, acceptance, entry, released_offset(record))
    if isinstance(effects, Stopped):
        return _stopped(record, plan, effects, entry, last or LastAccepted(False, None))
    return Decision(
        OutcomeKind.ACCEPTED,
        None,
        outputs=(*effects.outputs, *claims),
        entry_changed=effects.entry_changed,
        entry_after=effects.entry_after,
        entry_met=entry,
        key=acceptance.key,
        marks=acceptance.marks,
    )
