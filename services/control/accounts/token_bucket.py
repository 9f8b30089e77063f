"""Rate limits: a bucket of so many calls that fills again evenly.

A bucket is kept as the one instant at which it is full again, so nothing is lost by rounding. An instant
further ahead than an empty bucket needs was written before the clock was set back, and is not believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """How many calls at once, and after what time another one is there.

    Raises:
        ValueError: one of them is not positive.
    """

    capacity: int
    every: timedelta

    def __post_init__(self) -> None:
        if self.capacity < 1 or self.every <= timedelta(0):
            raise ValueError("a rate has at least one call and a positive time for each")


OF_LOGINS = Rate(20, timedelta(seconds=3))
"""Of one address; each costs the work of a password's hash."""
OF_TOKENS = Rate(120, timedelta(milliseconds=100))
"""Of one API token."""
OF_PERSONS = Rate(240, timedelta(milliseconds=50))
"""Of one person in the portal, whose pages ask for several things at once."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The call may be made, and this is when the bucket will be full again."""

    full_at: datetime


@dataclass(frozen=True, slots=True)
class Empty:
    """The call may not be made before this time has passed; nothing was taken."""

    wait: timedelta


def take(full_at: datetime | None, now: datetime, rate: Rate, calls: int = 1) -> Taken | Empty:
    """Take calls out of a bucket.

    After the clock was set back, a bucket holds what is asked for this once and then fills evenly: nobody is
    shut out until the old time has come again, and nobody gets a whole bucket for it.

    Args:
        full_at: when the bucket is full again; None for one that nobody has used yet.
        now: the time.
        rate: its size and how fast it fills.
        calls: how many at once.

    Raises:
        ValueError: more calls than ever fit into the bucket, or less than one.
    """
    if not 1 <= calls <= rate.capacity:
        raise ValueError(f"{calls} calls cannot be taken from a bucket of {rate.capacity}")
    emptied = now + rate.every * rate.capacity
    start = now if full_at is None else max(now, full_at)
    if start > emptied:
        start = emptied - rate.every * calls
    after = start + rate.every * calls
    missing = after - emptied
    return Empty(missing) if missing > timedelta(0) else Taken(after)
