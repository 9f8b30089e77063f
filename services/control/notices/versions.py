"""Breaking changes of a resource: what is one, how it must be announced, and who is told when; pure.

A change that would break a reader becomes a new version with a topic of its own. Both run side by side until
the announced day on which the old one ends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.notices.event import Facts, Happened, Parties
from services.control.notices.words import Audience, Kind, Slot
from topics.schema_rules import ItemForm

SHORTEST_PARALLEL: Final = timedelta(days=30)
"""So long old and new version run side by side at least; configurable by whoever calls."""
DAYS_BEFORE: Final = (30, 7, 1)


@dataclass(frozen=True, slots=True)
class Break:
    """One difference that a reader of the old version cannot follow."""

    item: str
    why: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """How a resource passes from one version to the next."""

    old: str
    new: str
    provider: str
    authority: str
    operator: str
    consumers: tuple[str, ...]
    """Departments with a grant on the old version that have none on the new one yet."""
    announced: datetime
    parallel_from: date
    """The first day on which both are delivered."""
    retires: date
    """The first day without the old one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plan cannot be announced, and what to do."""

    code: str
    what: str
    remedy: str


def breaks(old: Mapping[str, ItemForm], new: Mapping[str, ItemForm]) -> tuple[Break, ...]:
    """What of a changed schema breaks readers: items gone, of another type, or empty where they never were.

    An item more breaks nobody, since a grant names its items. A wider type does: a column of the narrower one
    cannot hold it.
    """
    return tuple(_breaks(old, new))


def plan_problems(plan: NewVersion, shortest: timedelta = SHORTEST_PARALLEL) -> tuple[Problem, ...]:
    """Everything that is wrong with a plan, at once; none means that it may be announced."""
    return tuple(_plan_problems(plan, shortest))


def announcement(plan: NewVersion) -> Happened:
    """What is told when the plan is made; the plan was checked."""
    facts: Facts = {
        Slot.RESOURCE: plan.old,
        Slot.NEW_RESOURCE: plan.new,
        Slot.DAY: plan.parallel_from,
        Slot.UNTIL: plan.retires,
    }
    key = f"version:{plan.old}:{plan.retires}"
    return Happened(key, Kind.VERSION_ANNOUNCED, plan.announced, _parties(plan), facts)


def retirement(plan: NewVersion, now: datetime) -> Happened | None:
    """What is told today about the end of the old version: a reminder, or that it has ended."""
    left = (plan.retires - civil_day(now)).days
    facts: Facts = {
        Slot.RESOURCE: plan.old,
        Slot.NEW_RESOURCE: plan.new,
        Slot.UNTIL: plan.retires,
        Slot.DAYS: left,
    }
    if left <= 0:
        key = f"retired:{plan.old}:{plan.retires}"
        return Happened(key, Kind.VERSION_RETIRED, now, _parties(plan), facts)
    reached = [step for step in DAYS_BEFORE if left <= step]
    if not reached:
        return None
    key = f"retires:{plan.old}:{plan.retires}:{reached[-1]}"
    return Happened(key, Kind.VERSION_RETIRES, now, _parties(plan), facts)


def _breaks(old: Mapping[str, ItemForm], new: Mapping[str, ItemForm]) -> Iterator[Break]:
    for item, was in old.items():
        now = new.get(item)
        if now is None:
            yield Break(item, "it is gone")
        elif _type(was) != _type(now):
            yield Break(item, f"it was {_type(was)} and is {_type(now)}")
        elif now.nullable and not was.nullable:
            yield Break(item, "it may be empty now")


def _type(form: ItemForm) -> str:
    return form.type if form.logical is None else f"{form.type} ({form.logical})"


def _plan_problems(plan: NewVersion, shortest: timedelta) -> Iterator[Problem]:
    if plan.old == plan.new:
        yield Problem("SAME_VERSION", "a breaking change keeps its version", "give it a version of its own")
    if plan.parallel_from <= civil_day(plan.announced):
        what = f"the new version begins on {plan.parallel_from}, which is not after the announcement"
        yield Problem("BEGINS_AT_ONCE", what, "begin on a later day, so that everybody is told before")
    if plan.retires - plan.parallel_from < shortest:
        first = plan.parallel_from + shortest
        what = (
            f"the old version ends on {plan.retires}, with less than {shortest.days} days beside the new one"
        )
        yield Problem("PARALLEL_TOO_SHORT", what, f"let it end on {first} or later")


def _parties(plan: NewVersion) -> Parties:
    return {
        Audience.CONSUMER: plan.consumers,
        Audience.PROVIDER: (plan.provider,),
        Audience.AUTHORITY: (plan.authority,),
        Audience.OPERATOR: (plan.operator,),
    }
