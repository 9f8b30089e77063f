"""Explains one record from any side: every stage's outcome and every grant's, under which policy version."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.ledger.blocks import Block
from services.ledger.coordinates import Coordinate, parse_coordinate
from services.ledger.explain_delivery import GrantExplanation, explain_grants
from services.ledger.explain_ended import ended_at_gate, replaced
from services.ledger.explain_gate import Stage, gate_decision, stages
from services.ledger.lookup import Lookup, RecordMissing
from services.ledger.quarantine import OF
from topics.event import KafkaRecord, ProviderId, ResourceId
from topics.names import quarantine
from topics.policy import Policy
from topics.resource import DirectPublication

_BEFORE_A_TOMBSTONE = 100
"""A canonical tombstone follows its last record at once; markers and other keys may lie between."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that became of one raw record."""

    asked: str
    raw: str
    resource: str | None
    outcome: str
    reason: str | None
    policy_version: int | None
    block: str | None
    stages: tuple[Stage, ...] = ()
    canonical: tuple[str, ...] = ()
    quarantined_at: str | None = None
    grants: tuple[GrantExplanation, ...] = ()
    notes: tuple[str, ...] = ()


def explain(lookup: Lookup, asked: Coordinate) -> Explanation:
    """Explain the record at a raw, canonical, quarantine, claim or grant coordinate.

    Raises:
        RecordMissing: nothing stands there, or what led to it is gone.
        NotACoordinate: the record names no raw record.
    """
    raw = lookup.record(_raw_of(lookup, asked))
    policy = lookup.policies[max(lookup.policies)] if lookup.policies else None
    found = [
        entry.resource.id
        for entry in (policy.resources.values() if policy else ())
        if entry.resource.raw_topic == raw.topic
    ]
    start = Explanation(
        asked=str(asked),
        raw=raw.coordinates,
        resource=found[0] if found else None,
        outcome="pending",
        reason=None,
        policy_version=None,
        block=None,
    )
    block = lookup.intake_block(raw)
    if block is None or policy is None:
        return replace(start, notes=("the gate has not decided this record yet",))
    return _decided(lookup, raw, block, policy, start)


def _decided(
    lookup: Lookup, raw: KafkaRecord, block: Block, newest: Policy, start: Explanation
) -> Explanation:
    decided_by = lookup.policies[block.policy_version]
    decision = gate_decision(raw, decided_by, block, lookup.codecs(raw))
    notes = []
    if not block.outcomes.get(decision.kind.value):
        notes.append(
            f"the ledger's block {block.at} counts no {decision.kind.value} record: the decision made then "
            "was another one; keep both and ask the operator"
        )
    canonical = lookup.canonical_of(raw, block) if decision.kind == "accepted" else []
    wrote = any(output.topic.startswith("resource.") for output in decision.outputs)
    if wrote and not canonical:
        notes.append("the canonical record stands no more: a newer one of its key has replaced it")
    grants = [
        entry for record in canonical for entry in explain_grants(lookup, record, _resource(record), newest)
    ]
    stopped = decision.kind == "stopped"
    feeds = decided_by.by_raw_topic().get(raw.topic)
    if feeds is not None and decision.kind != "accepted":
        grants = ended_at_gate(decided_by, feeds.resource.id, decision.kind.value)
    elif feeds is not None and wrote and not canonical:
        grants = replaced(lookup, raw, decided_by, feeds.resource.id)
    published = feeds is not None and isinstance(feeds.resource.source, DirectPublication)
    return replace(
        start,
        outcome=decision.kind.value,
        reason=decision.reason,
        policy_version=block.policy_version,
        block=block.at,
        stages=tuple(stages(raw, decision, published=published)),
        canonical=tuple(record.coordinates for record in canonical),
        quarantined_at=_quarantined_at(lookup, raw) if stopped else None,
        grants=tuple(grants),
        notes=tuple(notes),
    )


def _resource(canonical: KafkaRecord) -> ResourceId:
    return ResourceId(canonical.topic.removeprefix("resource."))


def _raw_of(lookup: Lookup, asked: Coordinate) -> Coordinate:
    """The raw coordinate behind any other one."""
    if asked.topic.startswith("raw."):
        return asked
    record = lookup.record(asked)
    of = record.header(OF)
    if of is not None:
        return parse_coordinate(of.decode())
    event = record.header("ce_id")
    if event is not None:
        return parse_coordinate(event.decode().replace("/", ":"))
    if record.value is None and asked.topic.startswith("resource."):
        record = _last_before(lookup, asked, record)
    return _named_in(lookup.decoder.value(record) or {}, asked)


def _named_in(value: Mapping[str, object], asked: Coordinate) -> Coordinate:
    prefix = "raw_" if "raw_topic" in value else ""
    texts = [str(value.get(prefix + name, "")) for name in ("topic", "partition", "offset")]
    if not texts[0].startswith("raw."):
        raise RecordMissing(
            f"{asked} names no raw record: ask for a raw, canonical, quarantine or grant record"
        )
    return parse_coordinate(":".join(texts))


def _last_before(lookup: Lookup, asked: Coordinate, tombstone: KafkaRecord) -> KafkaRecord:
    start = max(asked.offset - _BEFORE_A_TOMBSTONE, lookup.reader.bounds(asked.place).low)
    before = [
        record
        for record in lookup.reader.read(asked.place, start, asked.offset)
        if record.key == tombstone.key and record.value is not None
    ]
    if not before:
        raise RecordMissing(f"{asked} is a tombstone, and the last record before it stands no more")
    return before[-1]


def _quarantined_at(lookup: Lookup, raw: KafkaRecord) -> str | None:
    topic = quarantine(ProviderId(raw.topic.split(".")[1]))
    wanted = (raw.topic, raw.partition, raw.offset)
    for record in lookup.since_all(lookup.reader.places(topic), raw.timestamp_ms):
        value = lookup.value(record)
        if value and (value["topic"], value["partition"], value["offset"]) == wanted:
            return record.coordinates
    return None
