"""A clock of one case: when it is due, what is left, when it reminds, and whether it is late."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from services.control.clocks.arithmetic import add_working_days
from services.control.clocks.calendar import Calendar, Due, civil_day
from services.control.clocks.rules import AgreedDate, ClockRule, FixedDate, NaturalDays, WorkingDays
from topics.quality.values import CIVIL_TIME

_DAY: Final = timedelta(days=1)
_WHOLE: Final = 100
_Still = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Pause:
    """The case was returned at ``begin`` and came back at ``end``, or has not come back yet."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extended:
    """The one extension of a clock."""

    days: int
    approver: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClockRun:
    """A clock from its start event on; made and changed by the functions of ``steps``."""

    rule: ClockRule
    started: datetime
    pauses: tuple[Pause, ...] = ()
    extended: Extended | None = None
    met: datetime | None = None
    agreed: date | None = None
    """The day that the parties agreed on, where the rule leaves it to them."""

    @property
    def open_pause(self) -> Pause | None:
        """The pause that has not ended yet."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].end is None else None


class State(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    DUE_SOON = "due_soon"
    """The last reminder before the end has come."""
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met_late"


@dataclass(frozen=True, slots=True)
class Reminder:
    """So much of a clock has passed on that day."""

    percent: int
    day: date


@dataclass(frozen=True, slots=True)
class Standing:
    """A clock at one moment; ``due`` and ``reminders`` are missing while it stands still."""

    state: State
    due: Due | None
    total: int
    elapsed: int
    remaining: int
    """Days of the clock's unit after today; 0 on the last day, below zero afterwards."""
    breached: bool
    reminders: tuple[Reminder, ...]


def due_of(run: ClockRun, calendar: Calendar) -> Due | None:
    """The last day on which the duty can be done in time; None while the clock stands still."""
    match run.rule.length:
        case WorkingDays(count) | NaturalDays(count):
            return _counted_out(run, calendar, count + _extension(run))
        case FixedDate() | AgreedDate():
            return _from_date(run, calendar)


def late_from(due: Due) -> datetime:
    """The first instant that is too late: midnight in Beijing after the last day."""
    return datetime.combine(due.day + _DAY, time.min, CIVIL_TIME)


def standing(run: ClockRun, calendar: Calendar, now: datetime) -> Standing:
    """How the clock stands at a moment, by what had happened until then."""
    run = _known_at(run, now)
    due = due_of(run, calendar)
    today = civil_day(now if run.met is None else run.met)
    counted = [] if due is None else _counted(run, calendar, due.day)
    total = _nominal(run) if due is None else len(counted)
    elapsed = len(_counted(run, calendar, today))
    reminders = () if due is None else tuple(_reminders(run, counted, due.day))
    state = _state(run, due, reminders, today)
    breached = state in {State.OVERDUE, State.MET_LATE} and not run.rule.advisory
    return Standing(state, due, total, elapsed, total - elapsed, breached, reminders)


def _known_at(run: ClockRun, now: datetime) -> ClockRun:
    """The clock without what happened to it later."""
    pauses = (each for each in run.pauses if each.begin <= now)
    return replace(
        run,
        pauses=tuple(each if each.end is None or each.end <= now else Pause(each.begin) for each in pauses),
        extended=run.extended if run.extended is not None and run.extended.at <= now else None,
        met=run.met if run.met is not None and run.met <= now else None,
    )


def _state(run: ClockRun, due: Due | None, reminders: tuple[Reminder, ...], today: date) -> State:
    late = due is not None and today > due.day
    if run.met is not None:
        return State.MET_LATE if late else State.MET
    if due is None:
        return State.PAUSED
    if late:
        return State.OVERDUE
    before_the_end = [each.day for each in reminders if each.percent < _WHOLE]
    return State.DUE_SOON if today >= max(before_the_end, default=due.day) else State.RUNNING


def _reminders(run: ClockRun, counted: Sequence[date], due: date) -> Iterator[Reminder]:
    """For each percentage the first day on which at least so much of the clock has passed."""
    for percent in sorted(run.rule.remind_at):
        needed = -(-len(counted) * percent // _WHOLE)
        yield Reminder(percent, counted[max(needed, 1) - 1] if counted else due)


def _counted_out(run: ClockRun, calendar: Calendar, count: int) -> Due | None:
    first = day = _first_day(run)
    until = None if run.open_pause is None else civil_day(run.open_pause.begin)
    natural, still = isinstance(run.rule.length, NaturalDays), _still(run)
    while until is None or day <= until:
        counts = _counts(run, still, calendar, day)
        count -= counts
        if natural and count == 0:
            # Only where a count of natural days ends depends on holidays.
            first, natural = day, False
        if count <= 0 and counts and calendar.is_working_day(day):
            return calendar.due(day, first, day)
        day += _DAY
    return None


def _from_date(run: ClockRun, calendar: Calendar) -> Due:
    day = _date_of(run)
    if run.extended is not None:
        return add_working_days(calendar, day, run.extended.days)
    # A date stands, whatever is announced.
    return Due(day, provisional=False, waits_for=None)


def _date_of(run: ClockRun) -> date:
    if not isinstance(run.rule.length, FixedDate):
        if run.agreed is None:
            raise ValueError("the clock runs to an agreed day, and the case names none")
        return run.agreed
    first = _first_day(run)
    this_year = _in_year(run.rule.length, first.year)
    return this_year if this_year >= first else _in_year(run.rule.length, first.year + 1)


def _in_year(fixed: FixedDate, year: int) -> date:
    return date(year, fixed.month, fixed.day or monthrange(year, fixed.month)[1])


def _counted(run: ClockRun, calendar: Calendar, until: date) -> list[date]:
    """The days on which the clock has moved, up to and including that one."""
    first, still = _first_day(run), _still(run)
    days = (first + _DAY * number for number in range((until - first).days + 1))
    return [day for day in days if _counts(run, still, calendar, day)]


def _counts(run: ClockRun, still: Sequence[_Still], calendar: Calendar, day: date) -> bool:
    """Whether the clock moves on that day: not while it stands still, and else as its unit says."""
    if any(begin < day <= end for begin, end in still):
        return False
    return isinstance(run.rule.length, NaturalDays) or calendar.is_working_day(day)


def _still(run: ClockRun) -> list[_Still]:
    """The days after which, and up to which, the clock stands still.

    The day of the return still counts, and the day on which the supplement is received does not.
    """
    ends = (date.max if each.end is None else civil_day(each.end) for each in run.pauses)
    return [(civil_day(each.begin), end) for each, end in zip(run.pauses, ends, strict=True)]


def _first_day(run: ClockRun) -> date:
    started = civil_day(run.started)
    return started if run.rule.counts_first_day or run.rule.length == WorkingDays(0) else started + _DAY


def _extension(run: ClockRun) -> int:
    return 0 if run.extended is None else run.extended.days


def _nominal(run: ClockRun) -> int:
    match run.rule.length:
        case WorkingDays(count) | NaturalDays(count):
            return count + _extension(run)
        case FixedDate() | AgreedDate():
            raise ValueError("a clock that runs to a date never stands still")
