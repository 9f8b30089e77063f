"""Counts working days; the day on which something is received or happens does not count by itself.

That is the rule of 《民法典》第二百零一条; a clock that counts the day of receipt says so.
"""

from datetime import date, timedelta
from typing import Final

from services.control.clocks.calendar import Calendar, Due

MOST_DAYS: Final = 10_000
"""No duty runs for longer; whoever takes numbers from outside refuses more."""
_DAY: Final = timedelta(days=1)


def add_working_days(calendar: Calendar, start: date, count: int, *, counts_start: bool = False) -> Due:
    """The working day on which so many working days have passed.

    Args:
        calendar: which days are worked.
        start: the day of receipt, day zero.
        count: working days; none means the day of receipt itself, or the first working day after it.
        counts_start: whether the day of receipt counts, if it is a working day.

    Raises:
        ValueError: the count is below zero.
    """
    if count < 0:
        raise ValueError(f"{count} working days cannot be counted forward")
    first = start if counts_start or count == 0 else start + _DAY
    day, left = first, max(count, 1)
    while True:
        left -= calendar.is_working_day(day)
        if left == 0:
            return calendar.due(day, first, day)
        day += _DAY


def working_days_between(calendar: Calendar, after: date, until: date) -> int:
    """How many working days come after one day, up to and with the other; 0 if that is not later."""
    days = (until - after).days
    return sum(calendar.is_working_day(after + _DAY * number) for number in range(1, days + 1))


def latest_notice(calendar: Calendar, event: date, count: int) -> Due:
    """The last working day for a notice that leaves so many whole working days before an event.

    Neither the day of the notice nor that of the event is among them, so that both may be at any hour.

    Raises:
        ValueError: the count is below zero.
    """
    if count < 0:
        raise ValueError(f"{count} working days cannot be left free")
    day, left = event, count + 1
    while left:
        day -= _DAY
        left -= calendar.is_working_day(day)
    return calendar.due(day, day, event - _DAY)
