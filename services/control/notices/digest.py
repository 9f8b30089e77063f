"""When a day's digest is sent: at one hour of each working day, in Beijing time; pure."""

from datetime import datetime, time, timedelta
from typing import Final

from services.control.clocks.calendar import Calendar, civil_day
from topics.quality.values import CIVIL_TIME

DIGEST_HOUR: Final = time(8, 30)
"""Before people begin to work."""
_DAY: Final = timedelta(days=1)


def next_digest(now: datetime, calendar: Calendar, hour: time = DIGEST_HOUR) -> datetime:
    """The first moment after now at which digests are sent; reminders of free days wait for the next one."""
    day = civil_day(now)
    while True:
        at = datetime.combine(day, hour, CIVIL_TIME)
        if at > now and calendar.is_working_day(day):
            return at
        day += _DAY
