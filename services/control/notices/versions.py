"""What is told of a resource's old version that ends: announced, moved, given up, near, over; pure.

Each consumer is told by itself, so that one whose grant begins after the announcement is told then. The plan
was checked before; a key for each step of it makes the step news once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.notices.event import Facts, Happened, Offices, Parties
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot

DAYS_BEFORE: Final = (30, 7, 1)
"""So many days before it ends consumers are reminded."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """How a resource passes from one version to the next, and whom that concerns."""

    id: str
    """Of the plan: keys are made of it."""
    old: str
    new: str
    provider: str
    offices: Offices
    consumers: tuple[str, ...]
    """Departments that have the old version."""
    parallel_from: date
    """The first day on which both are there."""
    retires: date
    """The first day without the old one."""


def announced(plan: NewVersion, at: datetime) -> Iterator[Happened]:
    """What is told when the plan is made, and to a consumer that comes later."""
    return _each(plan, Kind.VERSION_ANNOUNCED, at, "announced", _facts(plan) | {Slot.DAY: plan.parallel_from})


def postponed(plan: NewVersion, at: datetime) -> Iterator[Happened]:
    """What is told when the old version stays for longer."""
    return _each(plan, Kind.VERSION_POSTPONED, at, f"postponed:{plan.retires}", _facts(plan))


def kept(plan: NewVersion, at: datetime) -> Iterator[Happened]:
    """What is told when the plan is given up."""
    return _each(plan, Kind.VERSION_KEPT, at, "kept", _facts(plan))


def nearing(plan: NewVersion, now: datetime) -> Iterator[Happened]:
    """What is told today about the end of the old version: the last step that it has come to."""
    left = (plan.retires - civil_day(now)).days
    reached = [step for step in DAYS_BEFORE if 0 < left <= step]
    if not reached:
        return iter(())
    step = f"near:{plan.retires}:{reached[-1]}"
    return _each(plan, Kind.VERSION_RETIRES, now, step, _facts(plan) | {Slot.DAYS: left})


def retired(plan: NewVersion, now: datetime) -> Iterator[Happened]:
    """What is told on the day itself."""
    return _each(plan, Kind.VERSION_RETIRED, now, f"retired:{plan.retires}", _facts(plan))


def _facts(plan: NewVersion) -> dict[Slot, Fact]:
    return {Slot.RESOURCE: plan.old, Slot.NEW_RESOURCE: plan.new, Slot.UNTIL: plan.retires}


def _each(plan: NewVersion, kind: Kind, at: datetime, step: str, facts: Facts) -> Iterator[Happened]:
    """Once for the offices and the provider, once for each consumer."""
    for name, parties in _recipients(plan):
        yield Happened(f"version:{plan.id}:{step}:{name}", kind, at, parties, facts)


def _recipients(plan: NewVersion) -> Iterator[tuple[str, Parties]]:
    """A department that is told as a consumer is not told for its office as well."""
    offices = plan.offices
    yield (
        "",
        {
            Audience.PROVIDER: _but((plan.provider,), plan.consumers),
            Audience.AUTHORITY: _but(offices.authority, plan.consumers),
            Audience.OPERATOR: _but(offices.operator, plan.consumers),
        },
    )
    for consumer in plan.consumers:
        yield consumer, {Audience.CONSUMER: (consumer,)}


def _but(departments: Iterable[str], consumers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in departments if each not in consumers)
