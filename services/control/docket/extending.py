"""More time for a duty of a case: which clocks can get some now, from whom, and what is against it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.control.cases.case import Given
from services.control.cases.more_time import MoreTime
from services.control.cases.words import Actor, Problem, Role
from services.control.clocks.calendar import Calendar
from services.control.clocks.steps import RefuseStep, extend
from services.control.docket.case_clocks import CaseClock
from services.control.docket.filed import Filed

_AUTHORITY: Final = "authority"


def extendable(filed: Filed) -> tuple[CaseClock, ...]:
    """The clocks that run and whose rule gives more time that was not taken yet."""
    return tuple(
        each
        for each in filed.clocks
        if each.ended_by is None and each.run.rule.extension is not None and each.run.extended is None
    )


def named(filed: Filed, given: Given) -> Given:
    """What was given, with the one clock that can be meant where none is named."""
    more, clocks = given.more_time, extendable(filed)
    if more is None or more.clock is not None or len(clocks) != 1:
        return given
    return replace(given, more_time=replace(more, clock=clocks[0].number))


def extension_problems(
    filed: Filed, actor: Actor, more: MoreTime, calendar: Calendar, now: datetime
) -> Iterator[Problem]:
    """Yield what is against more time for a clock, by its rule and by who asks (conflict C18)."""
    clock = next((each for each in filed.clocks if each.number == more.clock), None)
    if clock is None or clock.ended_by is not None:
        yield _which(filed)
        return
    approver = "" if clock.run.rule.extension is None else clock.run.rule.extension.approver
    wanted = Role.AUTHORITY.value if approver == _AUTHORITY else clock.obliged
    if approver and actor.role.value != wanted:
        what = f"more time is not for the role {actor.role.value}"
        yield Problem("WRONG_ROLE", "role", what, f"ask: {wanted}")
        return
    try:
        extend(clock.run, calendar, more.days, more.approver, now)
    except RefuseStep as error:
        yield Problem("EXTENSION_REFUSED", "days", str(error), "do the duty in time, or complain")


def _which(filed: Filed) -> Problem:
    numbers = ", ".join(str(each.number) for each in extendable(filed))
    if not numbers:
        what = "no clock runs that could be extended"
        return Problem("EXTENSION_REFUSED", "days", what, "do the duty in time, or complain")
    return Problem("CLOCK_UNKNOWN", "clock", "no running clock has that number", f"name one of: {numbers}")
