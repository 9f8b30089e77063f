"""A small log of evidence made by the rules themselves: two keys, six checkpoints, two policy versions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.evidence.checkpoints import Sealing
from services.evidence.entries import ACTS, DELIVERY, INTAKE, POLICY, Entry, Place, digest_of
from services.evidence.making import Span, bundle_of
from services.evidence.sealed import Sealed, grown
from services.evidence.signing import ED25519, suite
from services.evidence.trust import Key, Trust

HOUR = 3_600_000
START = 1_790_000_000_000
ROTATED = START + 3 * HOUR - 1
OLD = Sealing.by(ED25519, suite(ED25519).signer(b"o" * 32))
NEW = Sealing.by(ED25519, suite(ED25519).signer(b"n" * 32))
KEYS = (Key(ED25519, OLD.signer.public, 0, ROTATED), Key(ED25519, NEW.signer.public, ROTATED))
GRANT = "health-persons"
TOPIC = f"sub.health.population.person.v1.{GRANT}"


def entry(topic: str, partition: int, offset: int, value: Mapping[str, Any] | None) -> Entry:
    text = json.dumps(value).encode()
    return Entry(topic, partition, offset, START + offset, digest_of(text), value)


def policy(version: int, offset: int, state: str = "active", generation: int = 1) -> Entry:
    grant = {"id": GRANT, "consumer": "health", "resource": "population.person.v1", "state": state}
    fixed = {"grant": {**grant, "purpose": "vaccination", "legal_basis": "S1"}, "generation": generation}
    document = {"version": version, "grants": {GRANT: fixed}}
    return entry(
        POLICY, 0, offset, {"version": version, "issued_ms": START, "document": json.dumps(document)}
    )


def intake(offset: int, first: int, count: int, partition: int = 0) -> Entry:
    found = block("gate", "raw.police.public.person", first, count, 1)
    return entry(INTAKE, partition, offset, {**found, "partition": partition})


def delivery(offset: int, first: int, count: int, version: int = 1, delivered: int | None = None) -> Entry:
    sent = count if delivered is None else delivered
    counted = {
        "grant": GRANT,
        "generation": 1,
        "delivered": sent,
        "tombstoned": 0,
        "withheld": {"OUTSIDE_ROWS": count - sent} if count > sent else {},
    }
    outputs = [{"topic": TOPIC, "partition": 0, "records": sent, "digest": "00"}]
    found = block("fanout.default", "resource.population.person.v1", first, count, version)
    return entry(DELIVERY, 0, offset, {**found, "grants": [counted], "outputs": outputs})


def act(offset: int) -> Entry:
    return entry(ACTS, 0, offset, {"id": f"a-{offset}", "who": "operator", "what": "policy.adopt"})


def cut(offset: int, version: int) -> Entry:
    """The act of a suspension of the grant from that policy version on."""
    document = json.dumps({"policy_version": version, "grants": [{"topic": TOPIC, "cut": {"0": 9}}]})
    return entry(
        ACTS,
        0,
        offset,
        {"id": f"s-{offset}", "who": "operator", "what": "grants.suspend", "document": document},
    )


def block(group: str, topic: str, first: int, count: int, version: int) -> dict[str, Any]:
    return {
        "group": group,
        "topic": topic,
        "partition": 0,
        "from_offset": first,
        "to_offset": first + count,
        "records": count,
        "policy_version": version,
        "outcomes": {"canonical": count},
        "grants": [],
        "outputs": [],
    }


@dataclass
class Topics:
    """The topics of a log in memory."""

    entries: list[Entry] = field(default_factory=list)

    def between(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> Sequence[Entry]:
        return [
            each
            for each in self.entries
            if starts.get(each.place, 0) <= each.offset < ends.get(each.place, 0)
        ]


SEGMENTS: tuple[tuple[Entry, ...], ...] = (
    (policy(1, 0), intake(0, 0, 10), delivery(0, 0, 10)),
    (intake(2, 10, 5), intake(0, 0, 7, partition=1), delivery(2, 10, 5, delivered=3), act(0)),
    (policy(2, 2), delivery(4, 15, 4, version=2), intake(4, 15, 5), intake(6, 20, 1)),
    (act(2), delivery(6, 19, 3, version=1), delivery(8, 22, 3, version=2), intake(8, 21, 2)),
    (intake(10, 23, 4), delivery(10, 25, 1, version=2)),
    (intake(12, 27, 4), intake(14, 31, 4), delivery(12, 26, 2, version=2), act(4)),
)


def ends_after(entries: Sequence[Entry]) -> dict[Place, int]:
    """Each partition's end with a transaction's marker behind its last record."""
    ends: dict[Place, int] = {}
    for each in entries:
        ends[each.place] = max(ends.get(each.place, 0), (each.offset | 1) + 1)
    return ends


def log_of(segments: Sequence[Sequence[Entry]] = SEGMENTS, tree: str = "sha256") -> list[Sealed]:
    """A checkpoint after each segment, an hour apart; the key was rotated before the fourth."""
    found: list[Sealed] = []
    for number, segment in enumerate(segments):
        time_ms = START + number * HOUR
        sealing = OLD if time_ms < ROTATED else NEW
        last = found[-1].signed if found else None
        found.append(grown(last, segment, ends_after(segment), time_ms, sealing, tree))
    return found


def topics_of(segments: Sequence[Sequence[Entry]] = SEGMENTS) -> Topics:
    return Topics([each for segment in segments for each in segment])


def trust_in(log: Sequence[Sealed], number: int | None = None) -> Trust:
    """The keys, and that checkpoint (the last) in the witness' hands."""
    held = log[-1 if number is None else number - 1].signed
    return Trust(held.checkpoint.log, KEYS, held)


def bundle(
    log: Sequence[Sealed],
    topics: Topics,
    trust: Trust,
    hours: tuple[float, float] = (1.5, 9),
    sealing: Sealing = NEW,
) -> bytes:
    """The bundle of some hours since the start."""
    span = Span(START + int(hours[0] * HOUR), START + int(hours[1] * HOUR))
    return bundle_of(log, topics, [trust.witness], span, START + 10 * HOUR, sealing)


def altered(each: Entry, **values: Any) -> Entry:
    """An entry of which the value says something else."""
    return replace(each, value={**(each.value or {}), **values})
