"""For how long a department's credential is good, and how it stands at a moment; pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.notices.hurts import DAYS_BEFORE
from topics.event import ConsumerId

DEFAULT_DAYS: Final = 180
"""So many days a credential is good where no setting says otherwise."""


class Ended(StrEnum):
    """How a version of a credential ended."""

    ROTATED = "rotated"
    """The department has fetched the next one."""
    EXPIRED = "expired"
    """Its time was over before anybody fetched another one."""


class Standing(StrEnum):
    """How a version of a credential stands."""

    GOOD = "good"
    ENDS_SOON = "ends_soon"
    """It opens the bus, and its department is being told that it ends."""
    OVER = "over"
    """Its time is over: it opens nothing, or is locked out within the control process's next turn."""
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Credential:
    """One version of a department's credential; what it opens the bus with is nowhere in it."""

    consumer: ConsumerId
    version: int
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    ended: Ended | None = None

    @property
    def last_day(self) -> date:
        """The day in Beijing on which it ends."""
        return civil_day(self.expires_at)

    def is_over(self, now: datetime) -> bool:
        """Whether it may open the bus no longer, locked out or not."""
        return self.ended is not None or now >= self.expires_at

    def ends_as(self, now: datetime) -> Ended:
        """What it is called if it ends now because another one takes its place."""
        return Ended.EXPIRED if now >= self.expires_at else Ended.ROTATED

    def days_left(self, now: datetime) -> int:
        """Whole days until its last one: 0 on that day and after it."""
        return 0 if self.is_over(now) else (self.last_day - civil_day(now)).days

    def standing(self, now: datetime) -> Standing:
        """How it stands."""
        if self.ended is Ended.ROTATED:
            return Standing.REPLACED
        if self.is_over(now):
            return Standing.OVER
        return Standing.ENDS_SOON if self.days_left(now) <= max(DAYS_BEFORE) else Standing.GOOD


def expiry(issued_at: datetime, days: int) -> datetime:
    """When a credential ends that was issued at a moment."""
    return issued_at + timedelta(days=days)
