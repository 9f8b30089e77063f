"""Moments and days for people: absolute with their zone, and how long ago or ahead, in both languages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from babel.dates import format_timedelta

from services.portal.languages import Tongue
from topics.quality.values import CIVIL_TIME

ZONE: Final = "UTC+8"
"""Official time is Beijing's, whatever the clock of the reader says."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as a page shows it."""

    machine: str
    """With its zone, for ``datetime`` of a ``time`` element."""
    absolute: str
    relative: str


def moment(when: datetime, now: datetime, tongue: Tongue) -> Moment:
    """A moment in official time, and how far it is from now."""
    official = when.astimezone(CIVIL_TIME)
    shown = f"{official:%Y-%m-%d %H:%M:%S} {ZONE}"
    return Moment(when.astimezone(UTC).isoformat(timespec="seconds"), shown, relative(when - now, tongue))


def relative(distance: timedelta, tongue: Tongue) -> str:
    """How long ago, or in how long."""
    return str(format_timedelta(distance, add_direction=True, locale=tongue.locale, threshold=1.2))


def lasting(seconds: float, tongue: Tongue) -> str:
    """A length of time in words."""
    return str(format_timedelta(timedelta(seconds=seconds), locale=tongue.locale, threshold=1.2))


def moments(now: datetime, tongue: Tongue) -> Callable[[datetime | str], Moment]:
    """What templates call with a moment, or with the text of one."""

    def shown(when: datetime | str) -> Moment:
        return moment(datetime.fromisoformat(when) if isinstance(when, str) else when, now, tongue)

    return shown


def day_from(text: str) -> date | None:
    """The day of a form's field; None where it says none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def moment_from(text: str) -> datetime | None:
    """The moment of a form's field, in official time, which is Beijing's; None where it says none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    sound = found.tzinfo is None and 2000 <= found.year < 3000
    return found.replace(tzinfo=CIVIL_TIME) if sound else None
