"""Quarantine as its workers see it: entries with their disposition, and what a release or discard writes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from services.gate.releases import RELEASE_HEADER
from services.ledger.coordinates import Coordinate, NotACoordinate, parse_coordinate
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import in_order, read_whole
from topics.event import Headers, KafkaRecord, OutputRecord, ProviderId, TopicName
from topics.names import quarantine

DISPOSITION: Final = "govbus_disposition"
OF: Final = "govbus_of"
ACTOR: Final = "govbus_actor"
WHY: Final = "govbus_reason"
AT: Final = "govbus_at"


class Disposition(StrEnum):
    """What somebody did about a stopped event, and what the gate made of it.

    ``RELEASING`` is written together with the release, so that none is without a name. What the gate decided
    follows: ``RELEASED`` says that it accepted. ``REVEALED`` only looks at the event.
    """

    RELEASING = "releasing"
    RELEASED = "released"
    SUPERSEDED = "superseded"
    STOPPED_AGAIN = "stopped-again"
    DISCARDED = "discarded"
    REVEALED = "revealed"


_AFTER_GATE: Final = {
    "accepted": Disposition.RELEASED,
    # Bytes without anything to share, e.g. a truncate: they are through, and nothing waits.
    "control": Disposition.RELEASED,
    "superseded": Disposition.SUPERSEDED,
    "stopped": Disposition.STOPPED_AGAIN,
}

OPEN: Final = "open"
STATES: Final = frozenset(Disposition) - {Disposition.REVEALED}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One stopped event; ``raw`` is the record as the gate read it."""

    at: str
    raw: KafkaRecord
    step: str
    reason: str
    detail: str
    rules: tuple[str, ...]
    policy_version: int
    state: str = OPEN
    actor: str | None = None
    why: str | None = None
    noted_ms: int | None = None
    """When that state was noted, in ms since 1970."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stopped events are meant; an empty field means all."""

    reason: str | None = None
    rule: str | None = None
    topic: str | None = None
    coordinates: tuple[Coordinate, ...] = ()
    states: frozenset[str] = frozenset({OPEN})

    def covers(self, entry: Quarantined) -> bool:
        """Whether the entry is meant, named by its raw or its quarantine coordinate."""
        named = {str(coordinate) for coordinate in self.coordinates}
        return (
            self.reason in (None, entry.reason)
            and (self.rule is None or self.rule in entry.rules)
            and self.topic in (None, entry.raw.topic)
            and (not self.states or entry.state in self.states)
            and (not named or bool(named & {entry.at, entry.raw.coordinates}))
        )


def read_quarantine(lookup: Lookup, provider: ProviderId) -> list[Quarantined]:
    """All entries of a provider in the order of quarantine, each with its last disposition."""
    entries: dict[str, Quarantined] = {}
    notes: list[KafkaRecord] = []
    for record in in_order(read_whole(lookup.reader, quarantine(provider))):
        value = lookup.decoder.value(record)
        if value is not None:
            entry = _entry(record, value)
            entries[entry.raw.coordinates] = entry
        else:
            notes.append(record)
    for note in sorted(notes, key=lambda one: one.timestamp_ms):
        _dispose(entries, note)
    return list(entries.values())


def histogram(entries: Iterable[Quarantined]) -> dict[str, int]:
    """Reason → count, the most frequent first."""
    return dict(Counter(entry.reason for entry in entries).most_common())


def rule_histogram(entries: Iterable[Quarantined]) -> dict[str, int]:
    """Quality rule → count, the most frequent first."""
    return dict(Counter(rule for entry in entries for rule in entry.rules).most_common())


def release(entry: Quarantined) -> OutputRecord:
    """The record to append to the raw partition: original bytes, and the offset that it releases.

    The release of a release that was stopped again names the original change.
    """
    raw = entry.raw
    released = raw.header(RELEASE_HEADER) or str(raw.offset).encode()
    kept = tuple((name, value) for name, value in raw.headers if name != RELEASE_HEADER)
    return OutputRecord(raw.topic, raw.partition, raw.key, raw.value, (*kept, (RELEASE_HEADER, released)))


def was_released(entry: Quarantined) -> bool:
    """Whether the event is itself a release, which was stopped again."""
    return entry.raw.header(RELEASE_HEADER) is not None


def release_of(lookup: Lookup, entry: Quarantined) -> Coordinate | None:
    """Where the last release of the entry stands in its raw partition; None where none was written."""
    expected = release(entry)
    found = None
    place = Place(entry.raw.topic, entry.raw.partition)
    for record in lookup.since(place, entry.noted_ms or entry.raw.timestamp_ms):
        if (record.key, record.headers) == (expected.key, expected.headers):
            found = Coordinate(record.topic, record.partition, record.offset)
    return found


def after_gate(outcome: str) -> Disposition | None:
    """The disposition that the gate's outcome of a release means; None where it means none yet."""
    return _AFTER_GATE.get(outcome)


def disposition(
    provider: ProviderId,
    what: Disposition,
    of: str,
    actor: str,
    why: str,
    release_at: Coordinate | None = None,
) -> OutputRecord:
    """The record that says who did what to which event, and why; of an outcome also of which release."""
    texts = [(DISPOSITION, what.value), (OF, of), (ACTOR, actor), (WHY, why)]
    if release_at is not None:
        texts.append((AT, str(release_at)))
    headers: Headers = tuple((name, text.encode()) for name, text in texts)
    return OutputRecord(quarantine(provider), 0, None, None, headers)


def _entry(record: KafkaRecord, value: dict[str, Any]) -> Quarantined:
    headers = tuple((entry["name"], entry["value"] or b"") for entry in value["headers"])
    raw = KafkaRecord(
        TopicName(value["topic"]),
        value["partition"],
        value["offset"],
        value["timestamp_ms"],
        value["key"],
        value["value"],
        headers,
    )
    return Quarantined(
        at=record.coordinates,
        raw=raw,
        step=value["step"],
        reason=value["reason"],
        detail=value["detail"],
        rules=tuple(value["rules"]),
        policy_version=value["policy_version"],
    )


def _dispose(entries: dict[str, Quarantined], record: KafkaRecord) -> None:
    what, of = _text(record, DISPOSITION), _text(record, OF)
    if what not in STATES:
        return
    try:
        raw = str(parse_coordinate(of))
    except NotACoordinate:
        return
    if raw in entries:
        entries[raw] = replace(
            entries[raw],
            state=what,
            actor=_text(record, ACTOR),
            why=_text(record, WHY),
            noted_ms=record.timestamp_ms,
        )


def _text(record: KafkaRecord, name: str) -> str:
    return (record.header(name) or b"").decode(errors="replace")


def providers_of(topics: Sequence[TopicName]) -> list[ProviderId]:
    """The providers that have a quarantine."""
    return [
        ProviderId(topic.removeprefix("quarantine.")) for topic in topics if topic.startswith("quarantine.")
    ]
