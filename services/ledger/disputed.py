"""Finds a record that somebody reports: its dispute without a name, its versions, and who received them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.fanout.line import GrantOutcome, fan_out
from services.fanout.plan import FanoutPlan, compile_grants
from services.ledger.blocks import Block, BlockKind, block_from
from services.ledger.coordinates import Coordinate
from services.ledger.counts import Place
from services.ledger.lookup import Lookup, RecordMissing
from services.ledger.received import Received, received
from topics import names
from topics.delivery import NotADelivery, read_delivery
from topics.disputes import Contested, contested_values, dispute_key, record_hash
from topics.event import (
    GrantId,
    KafkaRecord,
    Operation,
    ProviderId,
    Record,
    ResourceId,
    SourcePosition,
    TopicName,
)
from topics.names import LEDGER_DELIVERY
from topics.resource import Resource
from topics.wire import split

_POSITION = ("generation", "incarnation", "commit", "ordinal")
_FOREVER_MS = 2**62


class NotReportable(Exception):  # noqa: N818 - the caller names another record or other items
    """The coordinate is no version of a record of a resource, or an item is none of it; says what to name."""


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """One canonical record; ``state`` is None where it was deleted or left its key."""

    at: Coordinate
    position: SourcePosition
    source_time_ms: int
    state: Record | None


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """What a report is made of."""

    provider: ProviderId
    contested: Contested
    version: FoundVersion


def find(
    lookup: Lookup, at: Coordinate, items: Sequence[str], master_secrets: Mapping[int, bytes]
) -> FoundRecord:
    """The record at a coordinate of a canonical topic, or of the grant's topic where a consumer met it.

    Args:
        lookup: reads the topics.
        at: the coordinate.
        items: what of it is wrong; none where the record as a whole is.
        master_secrets: the newest of them makes the hashes.

    Raises:
        NotReportable: it is no version of a record, or has not these items.
        RecordMissing: nothing stands there, or its canonical record is gone.
    """
    record = canonical_record(lookup, at)
    resource = _resource(lookup, record.topic)
    version = _version(lookup, record)
    unknown = sorted(set(items) - {item.name for item in resource.items})
    if unknown or version is None or version.state is None:
        known = ", ".join(sorted(item.name for item in resource.items))
        what = (
            f"{resource.id} has no item {', '.join(unknown)}: it has {known}"
            if unknown
            else f"{at} is a deletion"
        )
        raise NotReportable(what)
    newest = max(master_secrets)
    key = dispute_key(master_secrets[newest], newest)
    hashed = record_hash(key, resource.id, split(record.key or b"")[1])
    values = contested_values(key, hashed, items, version.state)
    contested = Contested(resource.id, record.partition, hashed, values, newest)
    return FoundRecord(resource.provider, contested, version)


def canonical_record(lookup: Lookup, at: Coordinate) -> KafkaRecord:
    """The canonical record at a coordinate, or the one that led to the delivery at it.

    Raises:
        NotReportable: it is neither.
        RecordMissing: it is gone.
    """
    record = lookup.record(at)
    if at.topic.startswith("resource."):
        return record
    try:
        delivery = read_delivery(record.headers)
    except NotADelivery as error:
        raise NotReportable(f"{at} is neither a canonical record nor a delivery: {error}") from error
    if delivery.is_tombstone:
        raise NotReportable(f"{at} took the record away: name the canonical record that did")
    raw, partition, offset = delivery.ce_id.rsplit("/", 2)
    origin = (raw, int(partition), int(offset))
    place = Place(names.canonical(ResourceId(delivery.ce_source.rsplit("/", 1)[-1])), at.partition)
    bounds = lookup.reader.bounds(place)
    for found in lookup.reader.read(place, bounds.low, bounds.end):
        value = lookup.value(found)
        # A correction of the identity leads to a deletion too, from the same change.
        if value and value["operation"] != Operation.DELETE and _origin(value) == origin:
            return found
    raise RecordMissing(f"the canonical record that led to {at} is gone: compacted since")


def _origin(value: Mapping[str, object]) -> tuple[object, ...]:
    return value["raw_topic"], value["raw_partition"], value["raw_offset"]


def versions(lookup: Lookup, contested: Contested, since: Coordinate, key: bytes) -> Iterator[FoundVersion]:
    """The versions of a disputed record from a coordinate on, in order; they are found by their hash."""
    bounds = lookup.reader.bounds(since.place)
    for record in lookup.reader.read(since.place, max(since.offset, bounds.low), bounds.end):
        if record.key is None or record.value is None:
            # A tombstone follows the deletion that says the same with its position.
            continue
        if record_hash(key, contested.resource, split(record.key)[1]) == contested.record:
            found = _version(lookup, record)
            if found is not None:
                yield found


def recipients(lookup: Lookup, wrong: Iterable[Coordinate]) -> tuple[Received, ...]:
    """Who received these canonical records, from the ledger; see ``services.ledger.received``."""
    chosen = tuple(wrong)
    places = {(at.topic, at.partition) for at in chosen}
    return received(
        chosen, _blocks(lookup, places), lookup.policies, lambda block, at: again(lookup, block, at)
    )


def again(lookup: Lookup, block: Block, at: Coordinate) -> dict[GrantId, GrantOutcome] | None:
    """What the fan-out decides of a record under the block's policy version; None where it is gone."""
    policy = lookup.policies.get(block.policy_version)
    try:
        record = lookup.record(at)
    except RecordMissing:
        return None
    if policy is None:
        return None
    entries = [policy.grants[count.grant] for count in block.grants if count.grant in policy.grants]
    # Only keys and hashes depend on the master secret, no decision does.
    plan = compile_grants(policy, entries, {entry.key_version: bytes(32) for entry in entries})
    if record.topic not in plan.resources:
        return None
    before: set[bytes] | None = None
    if block.kind is BlockKind.COPIER:
        plan, before = _of_an_epoch(plan, record.topic), set()
    outcomes = fan_out(record, plan, lookup.codecs(record), before) or ()
    return {outcome.grant: outcome for outcome in outcomes}


def _of_an_epoch(plan: FanoutPlan, topic: TopicName) -> FanoutPlan:
    """A copier asks once, at its begin, whether the grant's days have come, and not of each record."""
    resource = plan.resources[topic]
    grants = tuple(replace(grant, valid_from_ms=0, valid_until_ms=_FOREVER_MS) for grant in resource.grants)
    return replace(plan, resources={topic: replace(resource, grants=grants)})


def _blocks(lookup: Lookup, places: set[tuple[TopicName, int]]) -> Iterator[Block]:
    ledger = lookup.reader.places(LEDGER_DELIVERY)
    for record in lookup.reader.read_all(lookup.reader.bounds_of(ledger)):
        value = lookup.decoder.value(record)
        if value is not None and (value["topic"], value["partition"]) in places:
            yield block_from(value, record.coordinates, record.timestamp_ms, intake=False)


def _resource(lookup: Lookup, topic: TopicName) -> Resource:
    policies = lookup.policies
    for entry in policies[max(policies)].resources.values() if policies else ():
        if entry.resource.canonical_topic == topic:
            return entry.resource
    raise NotReportable(f"no resource of the policy has the topic {topic}")


def _version(lookup: Lookup, record: KafkaRecord) -> FoundVersion | None:
    value = lookup.value(record)
    if value is None:
        return None
    state = value["state"]
    alive = value["operation"] != "delete" and isinstance(state, dict)
    return FoundVersion(
        at=Coordinate(record.topic, record.partition, record.offset),
        position=SourcePosition(*(int(str(value[name])) for name in _POSITION)),
        source_time_ms=int(str(value["source_time"])),
        state=state if alive and isinstance(state, dict) else None,
    )
