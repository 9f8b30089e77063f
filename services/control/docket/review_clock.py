"""Until when an entry has to be brought for review, and reviewed: by the policy under which that began.

The department has its time from the change of law or function on (requirement A2-05), the authority from the
day on which the entry came for review (A2-06). A policy that is adopted meanwhile moves neither (A15).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.clocks.calendar import Calendar, Due
from services.control.clocks.pack import Source
from services.control.clocks.rules import Stage
from services.control.clocks.running import ClockRun, due_of
from services.control.clocks.steps import start
from services.control.docket.bound import Bound

APPLY: Final = "clocks.catalog.apply"
REVIEW: Final = "clocks.catalog.review"


@dataclass(frozen=True, slots=True)
class EntryDue:
    """When something is due at the latest, and from which article."""

    due: Due
    stage: str
    source: Source
    advisory: bool
    """Whether to miss it is a breach of nothing."""


@dataclass(frozen=True, slots=True)
class BegunClock:
    """A clock that runs, its stage, and from which article it is."""

    run: ClockRun
    stage: Stage
    source: Source


def entry_due(policy: Bound | None, key: str, since: datetime, calendar: Calendar) -> EntryDue | None:
    """When what began then is due; None where no pack gives it time."""
    begun = begun_clock(policy, key, since)
    due = None if begun is None else due_of(begun.run, calendar)
    if begun is None or due is None:
        return None
    return EntryDue(due, begun.stage.name, begun.source, begun.stage.rule.advisory)


def begun_clock(policy: Bound | None, key: str, since: datetime) -> BegunClock | None:
    """The clock of what began then; None where no pack gives it time."""
    decided = () if policy is None else policy.decide(key, {})
    if not decided or not isinstance(decided[0].given.content, Stage):
        return None
    stage = decided[0].given.content
    return BegunClock(start(stage.rule, since), stage, decided[0].given.source)
