"""The retirement of a resource's version: what it must be like, and how it may be changed; pure.

A change that breaks readers is a new version with a topic of its own. The old one ends on a day that
everybody was told, and until then both run side by side. The day is postponed or given up, never brought
forward: who wants it earlier cancels, and announces anew with the whole parallel run.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.control.clocks.arithmetic import add_working_days
from services.control.clocks.calendar import Calendar, Due, civil_day
from services.control.retirements.words import Refusal, State
from topics.event import ResourceId

SHORTEST_PARALLEL: Final = 30
"""Working days for which both versions run side by side at least, unless a setting says otherwise."""
_ID: Final = re.compile(r"(?P<base>.+)\.v(?P<number>[1-9][0-9]*)")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to retire, by which successor, and when."""

    old: ResourceId
    new: ResourceId
    parallel_from: date
    """The first day on which both are there."""
    retires_on: date
    """The first day without the old one."""
    why: str


@dataclass(frozen=True, slots=True)
class By:
    """Who changes a retirement, when, as whom and for which department."""

    account: str
    role: str
    department: str
    now: datetime
    person: str = ""
    """Who decided it, where somebody else enters it."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """The retirement of a version, as it stands now."""

    id: UUID
    old: ResourceId
    new: ResourceId
    provider: str
    state: State
    announced_at: datetime
    parallel_from: date
    retires_on: date
    working_days: int
    """The shortest parallel run that counted when it was announced."""
    why: str
    by: str
    """The account that changed it last."""
    version: int


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One thing that is against it: which field, and what its words name."""

    code: Refusal
    where: str
    facts: Mapping[str, str] = field(default_factory=dict)


def first_day(calendar: Calendar, parallel_from: date, working_days: int) -> Due:
    """The first day on which the old version may be gone: so many whole working days lie in between.

    Args:
        calendar: which days are worked; through a year without its notice the day is provisional.
        parallel_from: the first day on which both are there; it does not count itself.
        working_days: how many there must be.
    """
    last = add_working_days(calendar, parallel_from, working_days)
    return Due(last.day + _DAY, last.provisional, last.waits_for)


def plan_problems(
    wish: Wish,
    *,
    successor_published: bool,
    others: Iterable[Retirement],
    calendar: Calendar,
    now: datetime,
    working_days: int,
) -> tuple[Hindrance, ...]:
    """Everything that is against a retirement, at once; none means that it may be announced.

    Args:
        wish: what is wanted.
        successor_published: whether the successor is declared, and its entry published.
        others: retirements of either version that were not cancelled.
        calendar: which days are worked.
        now: the time of the announcement.
        working_days: the shortest parallel run.
    """
    found = list(others)
    return (
        *_successor(wish, found, published=successor_published),
        *_standing(wish, found),
        *_days(wish, calendar, now, working_days),
        *_said(wish.why),
    )


def postponement_problems(found: Retirement, day: date, why: str, now: datetime) -> tuple[Hindrance, ...]:
    """What is against a later day."""
    return tuple(_postponement(found, day, why, now))


def cancellation_problems(found: Retirement, why: str, now: datetime) -> tuple[Hindrance, ...]:
    """What is against giving it up."""
    return (*_changeable(found, now), *_said(why))


def later_by_calendar(found: Retirement, calendar: Calendar) -> date | None:
    """The day that a planned retirement has to wait for, as the calendar is known now; None where it stands.

    It was counted through a year whose holidays were not announced, and now there are fewer working days.
    """
    first = first_day(calendar, found.parallel_from, found.working_days).day
    return first if found.state is State.PLANNED and first > found.retires_on else None


def _successor(wish: Wish, others: Iterable[Retirement], *, published: bool) -> Iterator[Hindrance]:
    names = {"old": wish.old, "new": wish.new}
    if not published:
        yield Hindrance(Refusal.SUCCESSOR_UNKNOWN, "new", names)
    (base, number), (new_base, new_number) = _parts(wish.old), _parts(wish.new)
    if base != new_base:
        yield Hindrance(Refusal.SUCCESSOR_OTHER, "new", names)
    elif new_number <= number:
        yield Hindrance(Refusal.SUCCESSOR_NOT_NEWER, "new", names)
    for each in others:
        if each.old == wish.new:
            yield Hindrance(Refusal.SUCCESSOR_ENDS, "new", names | {"day": each.retires_on.isoformat()})


def _standing(wish: Wish, others: Iterable[Retirement]) -> Iterator[Hindrance]:
    for each in others:
        if each.old == wish.old:
            facts = {"old": wish.old, "day": each.retires_on.isoformat()}
            yield Hindrance(Refusal.ALREADY_ENDING, "old", facts)


def _days(wish: Wish, calendar: Calendar, now: datetime, working_days: int) -> Iterator[Hindrance]:
    today = civil_day(now)
    if wish.parallel_from < today:
        facts = {"begin": wish.parallel_from.isoformat(), "today": today.isoformat()}
        yield Hindrance(Refusal.BEGINS_TOO_EARLY, "parallel_from", facts)
    begins = max(wish.parallel_from, today)
    first = first_day(calendar, begins, working_days).day
    if wish.retires_on < first:
        facts = {"day": wish.retires_on.isoformat(), "first": first.isoformat(), "days": str(working_days)}
        yield Hindrance(Refusal.PARALLEL_TOO_SHORT, "retires_on", facts)


def _postponement(found: Retirement, day: date, why: str, now: datetime) -> Iterator[Hindrance]:
    yield from _changeable(found, now)
    if found.state is State.PLANNED and day <= found.retires_on:
        facts = {"day": day.isoformat(), "planned": found.retires_on.isoformat()}
        yield Hindrance(Refusal.DAY_NOT_LATER, "retires_on", facts)
    yield from _said(why)


def _changeable(found: Retirement, now: datetime) -> Iterator[Hindrance]:
    """Not once its day has come: then cases are ended, whether all of them are yet or not."""
    facts = {"old": found.old, "state": found.state.value, "day": found.retires_on.isoformat()}
    if found.state is not State.PLANNED:
        yield Hindrance(Refusal.NOT_PLANNED, "state", facts)
    elif civil_day(now) >= found.retires_on:
        yield Hindrance(Refusal.DAY_REACHED, "state", facts)


def _said(why: str) -> Iterator[Hindrance]:
    if not why.strip():
        yield Hindrance(Refusal.WHY_MISSING, "why")


def _parts(resource: ResourceId) -> tuple[str, int]:
    """Name and version of ``<domain>.<name>.v<N>``; a text of another form is a name without a version."""
    found = _ID.fullmatch(resource)
    return (resource, 0) if found is None else (found["base"], int(found["number"]))
