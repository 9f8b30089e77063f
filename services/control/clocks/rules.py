"""What a legal clock is: how long, from which event, when it stands still, how far it may be extended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from services.control.clocks.calendar import CHINA

REMINDERS: Final = (50, 80, 100)
"""Percentages of its length at which a clock reminds, unless a rule says others."""


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """So many working days (工作日); none is at once: the day itself, or the first working day after it."""

    count: int

    def __str__(self) -> str:
        if self.count == 0:
            return "at once"
        return f"{self.count} working day{'s' * (self.count != 1)}"


@dataclass(frozen=True, slots=True)
class NaturalDays:
    """So many days; a last day that is free gives way to the next working day (《民法典》第二百零三条)."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} day{'s' * (self.count != 1)}"


@dataclass(frozen=True, slots=True)
class FixedDate:
    """The next such day of the calendar year, also where it is free; no ``day`` means the month's last."""

    month: int
    day: int | None

    def __str__(self) -> str:
        return f"by {self.month:02}-{'last' if self.day is None else f'{self.day:02}'}"


@dataclass(frozen=True, slots=True)
class AgreedDate:
    """The day that the parties agreed on; it comes with the case."""

    def __str__(self) -> str:
        return "the agreed day"


Length = WorkingDays | NaturalDays | FixedDate | AgreedDate


@dataclass(frozen=True, slots=True)
class Extension:
    """Once, by at most so many days of the clock's unit (working days where it is a date), if approved."""

    most: int
    approver: str


@dataclass(frozen=True, slots=True)
class ClockRule:
    """How one clock runs."""

    length: Length
    calendar: str = CHINA
    counts_first_day: bool = False
    """Whether the day of the start event counts; by itself it does not."""
    pauses_while: tuple[str, ...] = ()
    """States of the case in which the clock stands still, such as returned for supplement."""
    extension: Extension | None = None
    remind_at: tuple[int, ...] = REMINDERS
    advisory: bool = False
    """A target: to miss it is reported, and is no breach."""
    on_breach: tuple[str, ...] = ()
    """What happens when it is overdue, such as escalate or publish."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a duty, with a clock of its own; it applies where all facts of ``when`` hold."""

    name: str
    obliged: str
    """Who has to act."""
    starts_on: str
    """The event that starts the clock."""
    rule: ClockRule
    when: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
