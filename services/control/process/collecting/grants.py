"""The snapshot of each grant: how far its reader is, what it was given, and what became of its records."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.control.desired import COMPACTION_LAG_MS
from services.control.process.collecting.ages import ages
from services.control.process.collecting.facts import Facts, moment
from services.control.process.collecting.view import BusView
from services.ledger.counts import Place
from topics import names
from topics.event import ConsumerId, GrantId
from topics.grants.hold import Hold
from topics.policy import GrantPolicy, Policy

Committed = Mapping[str, Mapping[Place, int]]
_WINDOW_S: Final = COMPACTION_LAG_MS // 1000


def is_department(group: str, policy: Policy) -> bool:
    """Whether a group is one in which a department reads, by itself or through a sink."""
    owner = group.partition(".")[0]
    return owner in policy.consumers or group.startswith(f"connect-{names.SINK_PREFIX}")


def grant_documents(
    policy: Policy,
    facts: Facts,
    committed: Committed,
    sums: Mapping[str, Mapping[str, Any]],
    view: BusView,
    now: datetime,
) -> dict[str, dict[str, Any]]:
    """The snapshots of all grants.

    Args:
        policy: the newest version.
        facts: Kafka at this moment.
        committed: where the groups of departments are.
        sums: of the ledger's blocks, by grant.
        view: asked for the age of what is unread, of all grants at once.
        now: the time.
    """
    readers = {grant: _reader(entry, facts, committed) for grant, entry in policy.grants.items()}
    unread = {at: offset for _, left in readers.values() for at, offset in left.items()}
    old = ages(view, unread, int(now.timestamp() * 1000))
    return {
        grant: _document(entry, policy, facts, readers[grant], old, sums.get(grant, {}))
        for grant, entry in policy.grants.items()
    }


def _reader(entry: GrantPolicy, facts: Facts, committed: Committed) -> tuple[str | None, dict[Place, int]]:
    """The group that is furthest, and partition → next unread offset where it has anything unread.

    A department may read in several groups, and one that nobody runs any more must not hide the others.
    """
    places = facts.layout.get(entry.grant.topic, [])
    groups = [
        group
        for group in _groups(entry.grant.consumer, entry.grant.id, committed)
        if any(at in committed[group] for at in places)
    ]
    if not groups:
        return None, _unread(facts, places, {})
    behind = {group: _unread(facts, places, committed[group]) for group in groups}
    best = min(groups, key=lambda group: (_lag(facts, behind[group]), group))
    return best, behind[best]


def _groups(consumer: ConsumerId, grant: GrantId, committed: Committed) -> Iterable[str]:
    own = f"{consumer}."
    sink = names.sink_group(grant)
    return [group for group in committed if group in (consumer, sink) or group.startswith(own)]


def _unread(facts: Facts, places: Iterable[Place], positions: Mapping[Place, int]) -> dict[Place, int]:
    """Where something is unread."""
    found = {}
    for at in places:
        position = max(positions.get(at, 0), facts.begins[at])
        if _left(facts, at, position):
            found[at] = position
    return found


def _lag(facts: Facts, unread: Mapping[Place, int]) -> int:
    """Offsets that are unread in all partitions."""
    return sum(_left(facts, at, offset) for at, offset in unread.items())


def _left(facts: Facts, at: Place, position: int) -> int:
    """Offsets between a position and the end of a partition.

    A grant topic is written in transactions only, so its last offset is the mark of one, which nobody reads.
    Marks in between are counted as if they were records.
    """
    return max(0, facts.ends[at] - 1 - position)


def _document(
    entry: GrantPolicy,
    policy: Policy,
    facts: Facts,
    reader: tuple[str | None, Mapping[Place, int]],
    old: Mapping[Place, float],
    sums: Mapping[str, Any],
) -> dict[str, Any]:
    grant, (group, unread) = entry.grant, reader
    resource = policy.resources.get(grant.resource)
    held = policy.holds_on(grant)
    return {
        "consumer": grant.consumer,
        "provider": None if resource is None else resource.resource.provider,
        "resource": grant.resource,
        "topic": grant.topic,
        "state": grant.state.value,
        "holds": [hold.id for hold in held],
        "stops": [_stop(hold) for hold in held],
        "generation": entry.generation,
        "valid_until": grant.valid_until.isoformat(),
        "handed_out_at": moment(_handed_out(entry)),
        "partitions": [_partition(at, facts, unread) for at in facts.layout.get(grant.topic, ())],
        "records": facts.records(grant.topic),
        "group": group,
        "lag_records": _lag(facts, unread),
        "lag_seconds": round(max((old[at] for at in unread), default=0.0), 1),
        "window_s": _WINDOW_S,
        "last_delivery_at": moment(facts.last_record_at(grant.topic)),
        "delivered": sums.get("delivered"),
        "tombstoned": sums.get("tombstoned"),
        "withheld": sums.get("withheld"),
    }


def _handed_out(entry: GrantPolicy) -> datetime | None:
    """When a grant that is handed out once was complete; None where it goes on, or is not filled yet."""
    return None if entry.closed_ms is None else datetime.fromtimestamp(entry.closed_ms / 1000, UTC)


def _stop(hold: Hold) -> dict[str, Any]:
    """A suspension in force; who ordered it stands in its receipt."""
    return {
        "id": hold.id,
        "scope": hold.scope.value,
        "name": hold.name,
        "reason": hold.reason,
        "since": datetime.fromtimestamp(hold.since_ms / 1000, UTC).isoformat(),
    }


def _partition(at: Place, facts: Facts, unread: Mapping[Place, int]) -> dict[str, Any]:
    lag = _lag(facts, {at: unread[at]}) if at in unread else 0
    return {"partition": at.partition, "begin": facts.begins[at], "end": facts.ends[at], "lag_records": lag}
