"""What of a running clock is told: the reminders of its rule, its last day, and that it is overdue; pure."""

from datetime import datetime
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.clocks.running import Standing, State
from services.control.notices.event import Facts, Happened, Parties
from services.control.notices.words import Kind, Slot

_WHOLE: Final = 100
_SILENT: Final = frozenset({State.MET, State.MET_LATE, State.PAUSED})


def of_clock(case: str, duty: str, standing: Standing, parties: Parties, now: datetime) -> Happened | None:
    """What is told of a clock now; the same key until its next step, and another one once it was extended.

    Args:
        case: the id of the case, ticket or entry that it belongs to.
        duty: the key of the clock, such as ``clocks.problem.verify``.
        standing: how it stands now.
        parties: who has to act, and whoever else is told.
        now: the time.
    """
    if standing.due is None or standing.state in _SILENT:
        return None
    percent = _reached(standing, now)
    if percent is None:
        return None
    kind = _kind(standing, percent)
    facts: Facts = {Slot.CASE: case, Slot.DUTY: duty, Slot.PERCENT: percent, Slot.DAY: standing.due.day}
    key = f"clock:{case}:{duty}:{standing.due.day}:{kind}:{percent}"
    return Happened(key, kind, now, parties, facts)


def _reached(standing: Standing, now: datetime) -> int | None:
    if standing.breached:
        return _WHOLE
    today = civil_day(now)
    return max((each.percent for each in standing.reminders if each.day <= today), default=None)


def _kind(standing: Standing, percent: int) -> Kind:
    if standing.breached:
        return Kind.CLOCK_OVERDUE
    return Kind.CLOCK_LAST_DAY if percent >= _WHOLE else Kind.CLOCK_REMINDER
