"""Until when the authority has to review an entry: the clock of the policy that is adopted (requirement A2-06).

It begins when the entry comes for review. An entry is bound to no policy of its own: a policy that is adopted
while the entry waits counts for it, too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.clocks.calendar import Calendar, Due
from services.control.clocks.pack import Source
from services.control.clocks.rules import Stage
from services.control.clocks.running import due_of
from services.control.clocks.steps import start
from services.control.docket.bound import Bound

KEY: Final = "clocks.catalog.review"


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """When a review is due at the latest, and from which article."""

    due: Due
    stage: str
    source: Source
    advisory: bool
    """Whether to miss it is a breach of nothing."""


def review_due(policy: Bound | None, since: datetime, calendar: Calendar) -> ReviewDue | None:
    """When the review of an entry is due that came for it then; None where no pack gives it time."""
    decided = () if policy is None else policy.decide(KEY, {})
    if not decided or not isinstance(decided[0].given.content, Stage):
        return None
    stage = decided[0].given.content
    due = due_of(start(stage.rule, since), calendar)
    if due is None:
        return None
    return ReviewDue(due, stage.name, decided[0].given.source, stage.rule.advisory)
