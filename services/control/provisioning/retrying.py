"""How long a failed step or order waits until it is tried again, and how often; pure."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits that double from the first to the longest one."""

    first: timedelta
    longest: timedelta

    def after(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts, at least one."""
        doubled: timedelta = self.first * (1 << min(attempts - 1, 20))
        return min(doubled, self.longest)


@dataclass(frozen=True, slots=True)
class Patience:
    """What the worker does about failures."""

    steps: Waits = Waits(timedelta(seconds=30), timedelta(minutes=15))
    """Of a step that failed."""
    attempts: int = 6
    """How often a step is tried; then a person looks at it, and orders the next attempt himself."""
    stops: Waits = Waits(timedelta(seconds=1), timedelta(minutes=1))
    """Of a suspension or withdrawal that failed: it is tried for ever, because it only takes away."""
    unfinished: timedelta = timedelta(minutes=1)
    """So long whoever suspends has for it; then it is finished for him."""
    database: timedelta = timedelta(minutes=5)
    """Until it is asked again whether the database is as new as the bus."""
