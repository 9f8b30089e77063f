"""More time for a duty that runs over a case: how much, for which clock, and who has approved it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MoreTime:
    """So many more days of a clock's own unit, once (conflict C18)."""

    days: int
    approver: str
    """Who approves it, by the word of the clock's rule, such as authority or head_of_department."""
    clock: int | None = None
    """The number of the clock among those of the case; None where only one can be meant."""
