"""What hurts consumers soon: a reader that falls behind, a right that ends, a resource without news; pure.

Each finding has a key that names its step, so that the same step is told once and the next one again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.notices.event import Facts, Happened
from services.control.notices.words import Audience, Kind, Slot
from topics.quality.declaration import WITHIN_SECONDS, UpdateCycle

BEHIND_AT: Final = (50, 80)
"""Percentages of the window at which a reader is told that it is behind."""
DAYS_BEFORE: Final = (30, 7, 1)
"""So many days before its last day the end of a right is told."""
_WHOLE: Final = 100
_SHORTEST_SILENCE: Final = timedelta(days=1)
"""Real time says how soon a change arrives, not that there is one: a day without any is worth a look."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How far the reader of one grant is."""

    grant: str
    consumer: str
    operator: str
    behind: timedelta
    """The age of the oldest record that it has not read."""
    window: timedelta
    """For so long deletions are kept."""
    records: int


@dataclass(frozen=True, slots=True)
class Right:
    """A grant with its last day."""

    grant: str
    consumer: str
    provider: str
    operator: str
    last_day: date


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a resource was last heard of, and how often it promises news."""

    resource: str
    provider: str
    authority: str
    operator: str
    consumers: tuple[str, ...]
    last_event: datetime
    cycle: UpdateCycle


def readers_behind(readers: Iterable[Reader], now: datetime) -> Iterator[Happened]:
    """Readers that use up their window, each at the highest step that it has reached, once a day."""
    for reader in readers:
        percent = _percent(reader.behind, reader.window)
        reached = [step for step in (*BEHIND_AT, _WHOLE) if percent >= step]
        if reached:
            yield _behind(reader, reached[-1], percent, now)


def rights_that_end(rights: Iterable[Right], now: datetime) -> Iterator[Happened]:
    """Grants that end soon, each at the last step that it has come to."""
    today = civil_day(now)
    for right in rights:
        left = (right.last_day - today).days
        reached = [step for step in DAYS_BEFORE if 0 <= left <= step]
        if reached:
            yield _ends(right, reached[-1], left, now)


def stale_resources(resources: Iterable[Freshness], now: datetime) -> Iterator[Happened]:
    """Resources without an event for longer than they promise; told once until there is one again."""
    for each in resources:
        if now - each.last_event > longest_silence(each.cycle):
            parties = {
                Audience.CONSUMER: each.consumers,
                Audience.PROVIDER: (each.provider,),
                Audience.AUTHORITY: (each.authority,),
                Audience.OPERATOR: (each.operator,),
            }
            key = f"stale:{each.resource}:{each.last_event.isoformat()}"
            facts: Facts = {Slot.RESOURCE: each.resource, Slot.DAY: civil_day(each.last_event)}
            yield Happened(key, Kind.RESOURCE_STALE, now, parties, facts)


def longest_silence(cycle: UpdateCycle) -> timedelta:
    """For how long a resource of that cycle may be silent."""
    return max(timedelta(seconds=WITHIN_SECONDS[cycle]), _SHORTEST_SILENCE)


def _percent(behind: timedelta, window: timedelta) -> int:
    """Of the window; whole when there is none, since then nothing may be missed."""
    if window <= timedelta():
        return _WHOLE if behind > timedelta() else 0
    return behind * _WHOLE // window


def _behind(reader: Reader, step: int, percent: int, now: datetime) -> Happened:
    kind = Kind.READER_LOST if step >= _WHOLE else Kind.READER_BEHIND
    parties = {Audience.CONSUMER: (reader.consumer,), Audience.OPERATOR: (reader.operator,)}
    facts: Facts = {Slot.GRANT: reader.grant, Slot.PERCENT: percent, Slot.RECORDS: reader.records}
    key = f"behind:{reader.grant}:{step}:{civil_day(now)}"
    return Happened(key, kind, now, parties, facts)


def _ends(right: Right, step: int, left: int, now: datetime) -> Happened:
    parties = {
        Audience.CONSUMER: (right.consumer,),
        Audience.PROVIDER: (right.provider,),
        Audience.OPERATOR: (right.operator,),
    }
    facts: Facts = {Slot.GRANT: right.grant, Slot.DAY: right.last_day, Slot.DAYS: left}
    key = f"ends:grant:{right.grant}:{right.last_day}:{step}"
    return Happened(key, Kind.GRANT_EXPIRES, now, parties, facts)
