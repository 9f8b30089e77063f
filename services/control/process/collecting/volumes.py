"""Follows the markers of each resource's epochs, and how far the raw topic of an open one has grown; pure.

How far a topic of markers was read is kept in the snapshot, with the epochs that were found: a round reads
what was written since. Which values a filter of an epoch names stays where it was: they are primary keys.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.control.epochs.state import EpochState, Newest, every_epoch
from services.control.process.collecting.facts import Facts
from services.control.process.collecting.ledger_sums import BlockReader, Decode
from services.control.store.snapshots import Document
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from topics import names
from topics.event import TopicName
from topics.policy import Policy, ResourcePolicy
from topics.resource import CapturedTable

KEPT: Final = 20
"""So many epochs of a resource are kept, the newest."""
SAMPLES: Final = 40
"""So many looks at an open epoch are kept: at a look every 15 s, of the last ten minutes."""
_MANY: Final = 5_000
"""So many markers of one resource are read in a round."""
_MARK: Final = "INCOMPLETE"


def volume_documents(
    policy: Policy,
    facts: Facts,
    known: Mapping[str, Document],
    reader: BlockReader,
    decode: Decode,
    now: datetime,
) -> dict[str, dict[str, Any]]:
    """The snapshots of all resources' full volumes.

    Args:
        policy: the newest version.
        facts: Kafka at this moment.
        known: the documents of the round before.
        reader: reads the topics of markers; asked once for all, and not at all where nothing is new.
        decode: a marker's bytes to its fields.
        now: the time.
    """
    ranges = dict(_ranges(policy, facts, known))
    markers: dict[TopicName, list[Mapping[str, Any]]] = {}
    for record in reader.read_all(ranges) if ranges else ():
        value = decode(record)
        if value is not None:
            markers.setdefault(record.topic, []).append(value)
    found = {}
    for id_, entry in policy.resources.items():
        place = Place(names.epochs(id_), 0)
        before = _before(known.get(id_, {}), facts, place)
        read = ranges[place].end if place in ranges else int(before.get("read", 0))
        volume = _followed(entry, before, markers.get(place.topic, ())) | {"read": read}
        found[str(id_)] = volume | {"progress": _progress(entry, before, volume["epochs"], facts, now)}
    return found


def _ranges(policy: Policy, facts: Facts, known: Mapping[str, Document]) -> Iterator[tuple[Place, Bounds]]:
    for id_ in policy.resources:
        place = Place(names.epochs(id_), 0)
        end = facts.ends.get(place, 0)
        start = max(int(_before(known.get(id_, {}), facts, place).get("read", 0)), facts.begins.get(place, 0))
        if start < end:
            yield place, Bounds(start, min(end, start + _MANY))


def _before(document: Document, facts: Facts, place: Place) -> Document:
    """What is known; nothing of a topic that was made anew, which is shorter than what was read."""
    return document if int(document.get("read", 0)) <= facts.ends.get(place, 0) else {}


def _followed(
    entry: ResourcePolicy, before: Document, markers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    resource = entry.resource
    known = [_epoch(each) for each in reversed(before.get("epochs", ()))]
    epochs = every_epoch(markers, resource.raw_topic, known)[-KEPT:]
    marks = [int(each["timestamp_ms"]) for each in markers if each["kind"] == _MARK]
    return {
        "code": resource.code,
        "provider": resource.provider,
        "captured": isinstance(resource.source, CapturedTable),
        "epochs": [_kept(each) for each in reversed(epochs)],
        "marked_ms": max([*marks, int(before.get("marked_ms") or 0)]) or None,
    }


def _kept(epoch: Newest) -> dict[str, Any]:
    return {
        "number": epoch.number,
        "state": epoch.state.value,
        "begin_ms": epoch.begin_ms,
        "told_ms": epoch.told_ms,
        # Only of use while it is open; the documents of all resources are written every round.
        "begins": {str(number): at for number, at in epoch.begins.items()} if epoch.is_open else {},
        "columns": [each.partition("=")[0] for each in epoch.where],
        "initial": epoch.initial,
        "reason": epoch.reason,
        "by": epoch.by,
        "detail": epoch.detail,
        "counts": dict(epoch.counts),
        "digest": epoch.digest,
    }


def _epoch(document: Mapping[str, Any]) -> Newest:
    return Newest(
        number=document["number"],
        state=EpochState(document["state"]),
        begin_ms=document["begin_ms"],
        begins={int(partition): offset for partition, offset in document["begins"].items()},
        where=tuple(document["columns"]),
        reason=document["reason"],
        by=document["by"],
        initial=document["initial"],
        told_ms=document["told_ms"],
        detail=document["detail"],
        counts=document["counts"],
        digest=document["digest"],
    )


def _progress(
    entry: ResourcePolicy,
    before: Document,
    epochs: Sequence[Mapping[str, Any]],
    facts: Facts,
    now: datetime,
) -> dict[str, Any] | None:
    """By how many offsets the raw topic grew since the newest epoch began; None where none is open."""
    newest = _epoch(epochs[0]) if epochs else Newest()
    if not newest.is_open:
        return None
    came = sum(_grown(facts, entry.resource.raw_topic, newest.begins))
    last = before.get("progress") or {}
    samples = list(last.get("samples", ())) if last.get("number") == newest.number else []
    begun = [datetime.fromtimestamp(newest.begin_ms / 1000, UTC).isoformat(), 0]
    samples = [*(samples or [begun]), [now.isoformat(), came]][-SAMPLES:]
    return {"number": newest.number, "came": came, "samples": samples}


def _grown(facts: Facts, topic: TopicName, begins: Mapping[int, int]) -> Iterable[int]:
    for at in facts.layout.get(topic, ()):
        yield max(0, facts.ends[at] - begins.get(at.partition, 0))
