"""Releases and discards: what is written, and what the gate then made of a release."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.ledger.bus import Bus
from services.ledger.coordinates import Coordinate
from services.ledger.explain import Explanation, explain
from services.ledger.lookup import RecordMissing
from services.ledger.quarantine import (
    Disposition,
    Quarantined,
    after_gate,
    disposition,
    release,
    release_of,
)
from services.ledger.releasing import ReleaseCheck
from topics.event import ProviderId

_POLL_SECONDS = 0.25

Chosen = Sequence[tuple[ProviderId, Quarantined]]


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of one event; ``at`` is the raw coordinate of its release."""

    raw: str
    outcome: str
    reason: str | None
    at: str | None
    ok: bool


def release_all(
    bus: Bus,
    chosen: Chosen,
    actor: str,
    why: str,
    deadline_s: float,
    *,
    dry_run: bool,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
    told: Callable[[Worked], None] = lambda _worked: None,
) -> list[Worked]:
    """Release the events in the order in which they were stopped; each waits for the gate's decision.

    One at a time, because the gate's answer to one decides whether the next one of the same key may go. A
    release whose outcome nobody waited for is not written again; its outcome is looked up and noted.
    """
    worked: list[Worked] = []
    check = ReleaseCheck(bus.lookup)
    for provider, entry in sorted(chosen, key=lambda one: (one[1].raw.timestamp_ms, one[1].raw.offset)):
        under_way = release_of(bus.lookup, entry) if entry.state == Disposition.RELEASING else None
        refused = None if under_way else check.refusal(entry)
        if refused is not None:
            found = Worked(entry.raw.coordinates, "refused", refused, None, ok=False)
        elif dry_run:
            found = Worked(entry.raw.coordinates, "would-release", None, None, ok=True)
        else:
            at = under_way or _append(bus, provider, entry, actor, why)
            found = _outcome(bus, entry, at, clock() + deadline_s, clock, wait)
            _note(bus, provider, found, at, actor, why)
        worked.append(found)
        told(found)
    return worked


def discard_all(bus: Bus, chosen: Chosen, actor: str, why: str, *, dry_run: bool) -> list[Worked]:
    """Record that the events will not be released; all in one transaction."""
    records = [
        disposition(provider, Disposition.DISCARDED, entry.raw.coordinates, actor, why)
        for provider, entry in chosen
    ]
    if not dry_run:
        bus.writer.write(records)
    outcome = "would-discard" if dry_run else "discarded"
    return [Worked(entry.raw.coordinates, outcome, None, None, ok=True) for _, entry in chosen]


def _append(bus: Bus, provider: ProviderId, entry: Quarantined, actor: str, why: str) -> Coordinate:
    """Release and note in one transaction: no release without the name of who did it."""
    record = release(entry)
    done = disposition(provider, Disposition.RELEASING, entry.raw.coordinates, actor, why)
    offset, _ = bus.writer.write([record, done])
    return Coordinate(record.topic, record.partition, offset)


def _note(bus: Bus, provider: ProviderId, worked: Worked, at: Coordinate, actor: str, why: str) -> None:
    """Say what the gate made of the release; a pending one stays under way."""
    what = after_gate(worked.outcome)
    if what is not None:
        bus.writer.write([disposition(provider, what, worked.raw, actor, why, at)])


def _outcome(
    bus: Bus,
    entry: Quarantined,
    at: Coordinate,
    deadline: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> Worked:
    raw = entry.raw.coordinates
    while True:
        found = _explained(bus, at)
        if found is not None and found.outcome != "pending":
            return Worked(raw, found.outcome, found.reason, str(at), ok=found.outcome == "accepted")
        if clock() >= deadline:
            return Worked(raw, "pending", None, str(at), ok=False)
        wait(_POLL_SECONDS)


def _explained(bus: Bus, at: Coordinate) -> Explanation | None:
    try:
        return explain(bus.lookup.fresh(), at)
    except RecordMissing:
        # The broker has the record, and the reader sees it once its transaction's marker is written.
        return None
