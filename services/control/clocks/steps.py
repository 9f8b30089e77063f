"""What may happen to a running clock: it starts, stands still, goes on, is extended once, and is met."""

from dataclasses import replace
from datetime import date, datetime

from services.control.clocks.calendar import Calendar, civil_day
from services.control.clocks.rules import AgreedDate, ClockRule, FixedDate
from services.control.clocks.running import ClockRun, Extended, Pause, due_of


class RefuseStep(ValueError):  # noqa: N818 - named after what its catcher does
    """The clock's rule does not allow the step; the text says why and what does."""


def start(rule: ClockRule, at: datetime, agreed: date | None = None) -> ClockRun:
    """A clock that runs from its start event on.

    Raises:
        RefuseStep: the rule leaves the day to the parties and none is given, or one is given to another rule.
    """
    civil_day(at)
    if isinstance(rule.length, AgreedDate) and agreed is None:
        raise RefuseStep("the clock runs to an agreed day: give the day that was agreed")
    if not isinstance(rule.length, AgreedDate) and agreed is not None:
        raise RefuseStep(f"the clock runs {rule.length}: no other day can be agreed on")
    return ClockRun(rule, at, agreed=agreed)


def pause(run: ClockRun, at: datetime, state: str) -> ClockRun:
    """The case is returned, so the clock stands still from the next day on.

    Raises:
        RefuseStep: it does not stand still in that state, is over, or stands still already.
    """
    if state not in run.rule.pauses_while or isinstance(run.rule.length, FixedDate | AgreedDate):
        raise RefuseStep(f"the clock goes on while the case is {state}: its rule names no such pause")
    _require_running(run, at)
    return replace(run, pauses=(*run.pauses, Pause(at)))


def resume(run: ClockRun, at: datetime) -> ClockRun:
    """The case is back, so the clock goes on from the next day on.

    Raises:
        RefuseStep: it does not stand still, or the moment is before the pause.
    """
    if run.open_pause is None:
        raise RefuseStep("the clock does not stand still, so it cannot go on")
    if at < run.open_pause.begin:
        raise RefuseStep(f"the clock stands still since {run.open_pause.begin.isoformat()}, which is later")
    return replace(run, pauses=(*run.pauses[:-1], replace(run.open_pause, end=at)))


def extend(run: ClockRun, calendar: Calendar, days: int, approver: str, at: datetime) -> ClockRun:
    """The clock gets more days, once, from who may give them and before it is over.

    Raises:
        RefuseStep: the rule knows no extension, it was used, is too long, from somebody else or too late.
    """
    allowed = run.rule.extension
    if allowed is None:
        raise RefuseStep("the clock cannot be extended: its rule names no extension")
    if run.extended is not None:
        raise RefuseStep(f"the clock was extended on {civil_day(run.extended.at)}, and that is possible once")
    if not 1 <= days <= allowed.most:
        raise RefuseStep(f"an extension is 1 to {allowed.most} days, not {days}")
    if approver != allowed.approver:
        raise RefuseStep(f"an extension is approved by {allowed.approver}, not by {approver}")
    due = due_of(run, calendar)
    if run.met is not None or (due is not None and civil_day(at) > due.day):
        raise RefuseStep("the clock is over: extend it on its last day at the latest")
    return replace(run, extended=Extended(days, approver, at))


def meet(run: ClockRun, at: datetime) -> ClockRun:
    """The duty was done.

    Raises:
        RefuseStep: it was done before, or the moment is before the start.
    """
    if run.open_pause is not None:
        # Who answers without waiting for the supplement ends the pause by it.
        run = resume(run, at)
    _require_running(run, at)
    return replace(run, met=at)


def _require_running(run: ClockRun, at: datetime) -> None:
    if run.met is not None:
        raise RefuseStep(f"the clock was met on {civil_day(run.met)}")
    since = run.started
    for each in run.pauses:
        if each.end is None:
            raise RefuseStep(f"the clock stands still since {civil_day(each.begin)}")
        since = max(since, each.end)
    if at < since:
        raise RefuseStep(f"the clock came to this point at {since.isoformat()}, which is later")
