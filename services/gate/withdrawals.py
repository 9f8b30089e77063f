"""Withdrawals that a full volume appended to a raw partition: what they lead to, or why they are refused.

The two steps and their reason stand in topics/withdrawal.py. Pure, like the line that calls it.
"""

from services.gate.effects import Effects, announcement_effects, stopped_effects, withdrawal_effects
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import GatePlan, SourcePlan
from services.gate.stopped import LastAccepted, StoppedEntry
from services.gate.versions import Remembered
from topics.engine.reference import Undecodable
from topics.event import (
    Change,
    ControlReason,
    EntityKey,
    KafkaRecord,
    Operation,
    RecordId,
    SourcePosition,
    Step,
    Stopped,
    StopReason,
    SupersededReason,
)
from topics.wire import NotFramed, split
from topics.withdrawal import Withdrawal, is_announcement, read_withdrawal


def decide_withdrawal(
    record: KafkaRecord, plan: GatePlan, source: SourcePlan, entry: Remembered | None
) -> Decision:
    """Decide an announcement or a withdrawal; ``entry`` is what is remembered of its raw key."""
    pending = entry if isinstance(entry, StoppedEntry) else None
    key = _key_of(record, source)
    if isinstance(key, Stopped):
        return _stopped(record, plan, key, pending)
    if is_announcement(record):
        effects = announcement_effects(record, plan, source, pending)
        return _decision(OutcomeKind.CONTROL, ControlReason.WITHDRAWAL_ANNOUNCED.value, effects, pending)
    what = read_withdrawal(record)
    if what is None or pending is None:
        return _superseded(SupersededReason.NOTHING_PENDING, pending)
    if pending.last_stopped != what.announced:
        return _superseded(SupersededReason.OLDER_THAN_PENDING, pending)
    effects = withdrawal_effects(record, plan, source, _gone(record, source, key, what), key)
    return _decision(OutcomeKind.ACCEPTED, None, effects, pending, key)


def _key_of(record: KafkaRecord, source: SourcePlan) -> EntityKey | Stopped:
    """The canonical key in the value; only in the form in which this source's keys are written."""
    unreadable = "the value of a withdrawal is a canonical key, and this is none"
    try:
        schema_id, avro = split(record.value or b"")
        if schema_id != source.canonical_key_schema_id:
            return Stopped(Step.DECODE, StopReason.UNDECODABLE, unreadable)
        found = source.canonical_key.decode(avro)
    except (NotFramed, Undecodable):
        return Stopped(Step.DECODE, StopReason.UNDECODABLE, unreadable)
    return EntityKey(str(found["identity"]), RecordId(str(found["record_id"])))


def _gone(record: KafkaRecord, source: SourcePlan, key: EntityKey, what: Withdrawal) -> Change:
    position = SourcePosition(source.generation, what.incarnation, what.commit, record.offset)
    return Change(Operation.DELETE, key.record_id, None, None, position, record.timestamp_ms)


def _decision(
    kind: OutcomeKind,
    reason: str | None,
    effects: Effects,
    met: StoppedEntry | None,
    key: EntityKey | None = None,
) -> Decision:
    return Decision(
        kind,
        reason,
        outputs=effects.outputs,
        entry_changed=effects.entry_changed,
        entry_after=effects.entry_after,
        entry_met=met,
        key=key,
    )


def _superseded(reason: SupersededReason, entry: StoppedEntry | None) -> Decision:
    return Decision(OutcomeKind.SUPERSEDED, reason.value, entry_met=entry)


def _stopped(record: KafkaRecord, plan: GatePlan, stop: Stopped, entry: StoppedEntry | None) -> Decision:
    effects = stopped_effects(record, plan, stop, entry, LastAccepted(False, None))
    return Decision(
        OutcomeKind.STOPPED, stop.reason.value, stopped=stop, outputs=effects.outputs, entry_met=entry
    )
