"""On which days a grant is in force, in official time, as the fan-out counts them; pure."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from topics.grants.declaration import Grant

_OFFICIAL_TIME: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_MS: Final = 1000


def official_day(now_ms: int) -> date:
    """The day in official time of a moment in ms since 1970."""
    return datetime.fromtimestamp(now_ms / _MS, UTC).astimezone(_OFFICIAL_TIME).date()


def in_force(grant: Grant, day: date | None) -> bool:
    """Whether the grant's days include that day; without a day they do not count."""
    return day is None or grant.valid_from <= day <= grant.valid_until


def may_have_withheld(had: Grant, wanted: Grant, day: date | None) -> bool:
    """Whether records were withheld on days that the changed grant covers.

    The last day of the old grant counts as over: it may end before the new policy version is applied. An
    earlier first day always counts, because nothing says how early the last epoch was.
    """
    if not in_force(wanted, day):
        return False
    extended = wanted.valid_until > had.valid_until
    return wanted.valid_from < had.valid_from or (extended and (day is None or day >= had.valid_until))
