"""What a decision writes: canonical records and tombstones, quarantined bytes, claims, remembered keys."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from services.gate.plan import GatePlan, SourcePlan
from services.gate.releases import is_release
from services.gate.stopped import LastAccepted, StoppedEntry, after_release, after_stop
from services.gate.versions import AcceptedVersion, Remembered, after_acceptance
from topics import names
from topics.canonical import key_record, partition_of
from topics.engine.reference import DoesNotFit
from topics.event import (
    Change,
    EntityKey,
    KafkaRecord,
    Operation,
    OutputRecord,
    ProviderId,
    Record,
    Step,
    Stopped,
    StopReason,
    TopicName,
)
from topics.wire import frame

MOST_BYTES: Final = 2_000_000
"""A larger raw value is stopped: what is written about a record must fit Kafka's limits in any form."""
MOST_EXTRA_BYTES: Final = 100_000
"""Larger keys and headers are left out of quarantine for the same reason."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Outputs in order, and what becomes of the raw key's entry."""

    outputs: tuple[OutputRecord, ...] = ()
    entry_changed: bool = False
    entry_after: Remembered | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A change that passed every stage; ``key`` is None where nothing of the key was ever accepted."""

    change: Change
    items: Record | None
    key: EntityKey | None
    before_key: EntityKey | None
    before_items: Record | None
    marks: tuple[str, ...] = ()

    @staticmethod
    def withdrawal(change: Change, key: EntityKey | None) -> "Acceptance":
        """The delete of a row whose last change was stopped: withdraws that key, if there is one."""
        return Acceptance(change, None, key, None, None)


def accepted_effects(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    acceptance: Acceptance,
    entry: Remembered | None,
    released: int | None,
) -> Effects | Stopped:
    """Everything that accepting the change writes; one identity correction is one in and three out."""
    try:
        outputs = (
            *_withdrawals(record, plan, source, acceptance, entry),
            *_new_state(record, plan, source, acceptance, entry),
        )
    except DoesNotFit as error:
        detail = f"the record does not fit {source.resource.avro_schema}: {error}"
        return Stopped(Step.ENCODE, StopReason.DOES_NOT_FIT_SCHEMA, detail)
    if source.published:
        version = after_acceptance(acceptance.change, acceptance.key, source.resource.version)
        return Effects((*outputs, _entry_output(record, plan, source, version)), True, version)
    if not isinstance(entry, StoppedEntry):
        return Effects(outputs)
    stands = None if acceptance.change.operation is Operation.DELETE else acceptance.key
    after = after_release(entry, released, stands) if released is not None else None
    incomplete = _incomplete(record, plan, source, entry)
    return Effects((*outputs, *incomplete, _entry_output(record, plan, source, after)), True, after)


def _withdrawals(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    acceptance: Acceptance,
    entry: Remembered | None,
) -> tuple[OutputRecord, ...]:
    """The canonical key that this change leaves behind, if it moves to another one."""
    if acceptance.change.operation is Operation.DELETE:
        return ()
    old, items = acceptance.before_key, acceptance.before_items
    if entry is not None and entry.last_accepted_known:
        old, items = entry.last_accepted, None
    if old is None or old == acceptance.key:
        return ()
    return _deletion(record, plan, source, acceptance.change, old, items)


def _new_state(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    acceptance: Acceptance,
    entry: Remembered | None,
) -> tuple[OutputRecord, ...]:
    change, key = acceptance.change, acceptance.key
    if key is None:
        return ()
    if change.operation is Operation.DELETE:
        # What a publisher says of a record that he deletes is not what stood of it.
        known = entry is None and not source.key_only_before and not source.published
        items = acceptance.items if known else None
        return _deletion(record, plan, source, change, key, items)
    known, scope = _previous_scope(source, acceptance, entry)
    state = acceptance.items or {}
    return (_canonical(record, plan, source, change, key, state, known, scope, acceptance.marks),)


def _previous_scope(
    source: SourcePlan, acceptance: Acceptance, entry: Remembered | None
) -> tuple[bool, Record | None]:
    """Scope items of the previous canonical record of the key, or that they cannot be told."""
    change = acceptance.change
    if isinstance(entry, AcceptedVersion) and entry.last_accepted_known:
        return entry.last_accepted != acceptance.key, None
    if entry is not None or change.operation is Operation.READ:
        return False, None
    if change.operation is Operation.CREATE:
        return True, None
    if acceptance.before_key is None:
        return False, None
    if acceptance.before_key != acceptance.key:
        return True, None
    if acceptance.before_items is None:
        return False, None
    return True, _scope(source, acceptance.before_items)


def _deletion(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    change: Change,
    key: EntityKey,
    items: Record | None,
) -> tuple[OutputRecord, ...]:
    """A last record with its scope, then the tombstone."""
    scope = None if items is None else _scope(source, items)
    gone = Change(Operation.DELETE, change.record_id, None, None, change.position, change.source_time_ms)
    try:
        last = _canonical(record, plan, source, gone, key, items, items is not None, scope, ())
    except DoesNotFit:
        # A row that was never accepted as it stood: its key is withdrawn all the same, its scope unknown.
        last = _canonical(record, plan, source, gone, key, None, False, None, ())
    return last, OutputRecord(last.topic, last.partition, last.key, None)


def _canonical(
    record: KafkaRecord,
    plan: GatePlan,
    source: SourcePlan,
    change: Change,
    key: EntityKey,
    state: Record | None,
    previous_known: bool,
    previous: Record | None,
    marks: tuple[str, ...],
) -> OutputRecord:
    position = change.position
    value = source.envelope.encode(
        {
            "operation": change.operation.value,
            "generation": position.generation,
            "incarnation": position.incarnation,
            "commit": position.commit,
            "ordinal": position.ordinal,
            "source_time": change.source_time_ms,
            "raw_topic": record.topic,
            "raw_partition": record.partition,
            "raw_offset": record.offset,
            "policy_version": plan.policy_version,
            "marks": list(marks),
            "previous_known": previous_known,
            "previous": previous,
            "state": state,
        }
    )
    return OutputRecord(
        source.resource.canonical_topic,
        partition_of(key.identity, source.resource.partitions),
        frame(source.canonical_key_schema_id, source.canonical_key.encode(key_record(key))),
        frame(source.canonical_value_schema_id, value),
    )


def _scope(source: SourcePlan, items: Record) -> Record:
    return {name: items.get(name) for name in source.resource.scope_items}


def stopped_effects(
    record: KafkaRecord, plan: GatePlan, stop: Stopped, entry: Remembered | None, last: LastAccepted
) -> Effects:
    """Quarantine the original bytes, and remember that the key's last change was stopped."""
    quarantined = _quarantined(record, plan, stop)
    # A release that is stopped again is the same old change: it says nothing new about its key.
    if record.key is None or is_release(record):
        return Effects((quarantined,))
    source = plan.sources.get(record.topic)
    # Of a published key only what was accepted is remembered.
    if source is None or source.published or isinstance(entry, AcceptedVersion):
        return Effects((quarantined,))
    after = after_stop(entry, record.offset, last)
    return Effects((quarantined, _entry_output(record, plan, source, after)), True, after)


def _quarantined(record: KafkaRecord, plan: GatePlan, stop: Stopped) -> OutputRecord:
    extras, whole = _extras_fit(record), _value_fits(record) and _extras_fit(record)
    value = plan.control.quarantined_event.encode(
        {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp_ms,
            "key": record.key if extras else None,
            "value": record.value if _value_fits(record) else None,
            "headers": [{"name": name, "value": value} for name, value in record.headers] if extras else [],
            "step": stop.step.value,
            "reason": stop.reason.value,
            "detail": stop.detail if whole else f"{stop.detail}; {_kept_in_raw(record)}",
            "rules": list(stop.rules),
            "policy_version": plan.policy_version,
        }
    )
    topic = names.quarantine(_provider_of(record))
    return OutputRecord(
        topic, 0, record.key if extras else None, frame(plan.control.ids.quarantined_event, value)
    )


def _value_fits(record: KafkaRecord) -> bool:
    return record.value is None or len(record.value) <= MOST_BYTES


def _extras_fit(record: KafkaRecord) -> bool:
    """Key and headers: they are written twice or one by one, and no honest ones are large."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + headers <= MOST_EXTRA_BYTES


def _kept_in_raw(record: KafkaRecord) -> str:
    digest = hashlib.sha256(record.value or b"").hexdigest()
    return f"not all bytes are here, they stay in the raw topic; SHA-256 of the value {digest}"


def _provider_of(record: KafkaRecord) -> ProviderId:
    return ProviderId(record.topic.split(".")[1])


def _entry_output(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, after: Remembered | None
) -> OutputRecord:
    schema_id, codec = plan.control.remembered(published=source.published)
    value = None if after is None else frame(schema_id, codec.encode(after.record()))
    topic = remembered_keys(record.topic, published=source.published)
    return OutputRecord(topic, record.partition, record.key, value)


def remembered_keys(raw: TopicName, *, published: bool) -> TopicName:
    """The compacted topic of what the gate remembers of this topic's keys."""
    return names.accepted_versions(raw) if published else names.stopped_keys(raw)


def claim_outputs(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, subject: str, row: Record
) -> tuple[OutputRecord, ...]:
    """One claim per non-empty value of a fact that another department owns."""
    found = [
        (foreign, row[foreign.column]) for foreign in source.foreign if row.get(foreign.column) is not None
    ]
    topic = names.claims(source.resource.provider)
    outputs = []
    for foreign, value in found:
        claim = plan.control.claim.encode(
            {
                "claimant": source.resource.provider,
                "owner": foreign.owner,
                "owner_resource": foreign.resource,
                "item": foreign.item,
                "subject": subject,
                "claimed": json.dumps(value, ensure_ascii=False, default=str),
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "timestamp_ms": record.timestamp_ms,
                "policy_version": plan.policy_version,
            }
        )
        outputs.append(OutputRecord(topic, 0, record.key, frame(plan.control.ids.claim, claim)))
    return tuple(outputs)


def announcement_effects(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, entry: StoppedEntry | None
) -> Effects:
    """The announcement of a withdrawal is the last word of its raw key until a live change comes."""
    after = after_stop(entry, record.offset, LastAccepted(False, None))
    return Effects((_entry_output(record, plan, source, after),), True, after)


def withdrawal_effects(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, change: Change, key: EntityKey
) -> Effects:
    """The canonical key goes; what was stopped of the raw key before is the row of nobody any more."""
    gone = _deletion(record, plan, source, change, key, None)
    return Effects((*gone, _entry_output(record, plan, source, None)), True, None)


def truncate_effects(record: KafkaRecord, plan: GatePlan, source: SourcePlan) -> Effects:
    """A truncate names no rows: the resource is marked incomplete until the next epoch's sweep."""
    detail = "the source truncated the table; its rows stay until a full volume sweeps them"
    return Effects((_marker(record, plan, source, detail),))


def _incomplete(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, entry: StoppedEntry
) -> tuple[OutputRecord, ...]:
    if entry.last_accepted_known:
        return ()
    detail = "an older identity of one row may still be canonical until a full volume sweeps it"
    return (_marker(record, plan, source, detail),)


def _marker(record: KafkaRecord, plan: GatePlan, source: SourcePlan, detail: str) -> OutputRecord:
    value = plan.control.epoch_marker.encode(
        {
            "subject": source.resource.id,
            "generation": source.generation,
            "kind": "INCOMPLETE",
            "policy_version": plan.policy_version,
            "timestamp_ms": record.timestamp_ms,
            "offsets": [{"topic": record.topic, "partition": record.partition, "offset": record.offset}],
            "counts": {},
            "digest": "",
            "detail": detail,
        }
    )
    key = source.resource.id.encode()
    return OutputRecord(names.epochs(source.resource.id), 0, key, frame(plan.control.ids.epoch_marker, value))
