"""The clocks of a ticket: which duty is running, when it is due, and what was late.

Requirements A9-04 and A9-05: the provider decides in 5 working days, and corrects at the source within 10 of
the decision; the days themselves come from the policy pack.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.control.clocks.calendar import Calendar
from services.control.clocks.merge import Policy
from services.control.clocks.rules import ClockRule, Stage
from services.control.clocks.running import ClockRun, Standing, standing
from services.control.clocks.running import State as ClockState
from services.control.clocks.steps import meet, pause, resume, start
from services.control.tickets.ticket import Event, Ticket
from services.control.tickets.words import Action, Duty, Route, TicketRules

RETURNED: Final = "returned_for_supplement"
"""The state in which a pack may let a clock stand still."""
KEYS: Final = {
    Duty.DISPATCH: "clocks.problem.dispatch",
    Duty.VERIFY: "clocks.problem.verify",
    Duty.CORRECT: "clocks.problem.correct",
}
"""By which key a policy pack sets a duty of a ticket."""
_ROUTE: Final = "workflow.problem.route"


@dataclass(frozen=True, slots=True)
class Clock:
    """One duty of one ticket, from its start to its end."""

    duty: Duty
    run: ClockRun
    ended: datetime | None = None
    """When it ended without having been met: the ticket was escalated or withdrawn."""

    @property
    def is_open(self) -> bool:
        """Whether the duty is still to be done."""
        return self.run.met is None and self.ended is None


def rules_from(policy: Policy, dispute_levels: tuple[str, ...] = ()) -> TicketRules:
    """What the merged policy packs set for a ticket; a duty that none of them names gets no clock."""
    route = policy.decide(_ROUTE)
    said = route[0].given.content if route else None
    return TicketRules(
        route=Route(said) if isinstance(said, str) else Route.AUTHORITY,
        dispatch=_rule(policy, Duty.DISPATCH),
        verify=_rule(policy, Duty.VERIFY),
        correct=_rule(policy, Duty.CORRECT),
        dispute_levels=dispute_levels,
    )


def clocks_of(ticket: Ticket) -> tuple[Clock, ...]:
    """Every clock that ever ran for the ticket, in the order in which they started."""
    clocks = _started((), ticket, _first_duty(ticket), ticket.opening.when)
    for event in ticket.events:
        clocks = _after(clocks, ticket, event)
    return clocks


def open_clock(ticket: Ticket) -> Clock | None:
    """The clock that runs, or stands still, now."""
    return next((clock for clock in reversed(clocks_of(ticket)) if clock.is_open), None)


def stands(clock: Clock, calendar: Calendar, now: datetime) -> Standing:
    """How a clock stands; one that ended unmet is looked at as it was then."""
    return standing(clock.run, calendar, now if clock.ended is None else min(now, clock.ended))


def overdue(ticket: Ticket, calendar: Calendar, now: datetime) -> Clock | None:
    """The clock that is over without its duty being done."""
    clock = open_clock(ticket)
    if clock is None or stands(clock, calendar, now).state is not ClockState.OVERDUE:
        return None
    return clock


def breaches(ticket: Ticket, calendar: Calendar, now: datetime) -> tuple[Clock, ...]:
    """Every clock that was missed, whether its duty was done later or not."""
    return tuple(clock for clock in clocks_of(ticket) if stands(clock, calendar, now).breached)


def _rule(policy: Policy, duty: Duty) -> ClockRule | None:
    decided = policy.decide(KEYS[duty])
    content = decided[0].given.content if decided else None
    return content.rule if isinstance(content, Stage) else None


def _first_duty(ticket: Ticket) -> Duty | None:
    """Where reports go to the provider, nobody dispatches them."""
    return Duty.DISPATCH if ticket.opening.rules.route is Route.AUTHORITY else None


_STARTS: Final = {
    Action.FORWARD: Duty.VERIFY,
    Action.DISPATCH: Duty.VERIFY,
    Action.REOPEN: Duty.VERIFY,
    Action.ACCEPT: Duty.CORRECT,
    Action.UPHOLD: Duty.CORRECT,
    Action.REVERT: Duty.CORRECT,
}
_MEETS: Final = frozenset({Action.FORWARD, Action.DISPATCH, Action.ACCEPT, Action.REFUSE, Action.ARRIVE})
_ENDS: Final = frozenset({Action.ESCALATE, Action.WITHDRAW})


def _after(clocks: tuple[Clock, ...], ticket: Ticket, event: Event) -> tuple[Clock, ...]:
    if event.action is Action.RETURN:
        return _paused(clocks, event.when)
    if event.action is Action.SUPPLEMENT:
        return _resumed(clocks, event.when)
    if event.action in _MEETS:
        clocks = _last(clocks, lambda clock: replace(clock, run=meet(clock.run, event.when)))
    elif event.action in _ENDS:
        clocks = _last(clocks, lambda clock: replace(clock, ended=event.when))
    return _started(clocks, ticket, _STARTS.get(event.action), event.when)


def _started(
    clocks: tuple[Clock, ...], ticket: Ticket, duty: Duty | None, when: datetime
) -> tuple[Clock, ...]:
    rule = None if duty is None else ticket.opening.rules.clock(duty)
    return clocks if duty is None or rule is None else (*clocks, Clock(duty, start(rule, when)))


def _paused(clocks: tuple[Clock, ...], when: datetime) -> tuple[Clock, ...]:
    def stand_still(clock: Clock) -> Clock:
        waits = RETURNED in clock.run.rule.pauses_while
        return replace(clock, run=pause(clock.run, when, RETURNED)) if waits else clock

    return _last(clocks, stand_still)


def _resumed(clocks: tuple[Clock, ...], when: datetime) -> tuple[Clock, ...]:
    return _last(
        clocks,
        lambda clock: replace(clock, run=resume(clock.run, when)) if clock.run.open_pause else clock,
    )


def _last(clocks: tuple[Clock, ...], change: Callable[[Clock], Clock]) -> tuple[Clock, ...]:
    """The clocks with the open one changed; nothing changes where none is open."""
    return tuple(change(clock) if clock.is_open else clock for clock in clocks)
