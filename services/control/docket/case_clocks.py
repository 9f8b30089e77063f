"""Which legal clocks run over a case: derived from its events and the policy that it is bound to.

Three duties have clocks: to check and to answer an application, and to supply what was approved. One for
what is shared unconditionally is answered by the control plane at once, and that is counted, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from services.control.cases.case import Case, Event
from services.control.cases.table import TRANSITIONS
from services.control.cases.words import Action, Decides, State
from services.control.clocks.calendar import Calendar
from services.control.clocks.merge import Decided, Facts
from services.control.clocks.rules import AgreedDate, Stage
from services.control.clocks.running import ClockRun, Extended, standing
from services.control.clocks.running import State as Standing
from services.control.clocks.steps import meet, pause, resume, start
from services.control.docket.bound import REPLY, SUPPLY, UNCONDITIONAL_REPLY, Bound

SUBMITTED, RECEIVED, APPROVED = "request_submitted", "request_received", "request_approved"
RETURNED: Final = "returned_for_supplement"
_WITH_APPLICANT: Final = frozenset({State.RETURNED, State.SUBMITTED})
_SPANS: Final[Mapping[str, frozenset[State]]] = MappingProxyType(
    {
        SUBMITTED: frozenset({State.PRECHECK}),
        RECEIVED: frozenset({State.DECIDING, State.PRECHECK}) | _WITH_APPLICANT,
        APPROVED: frozenset({State.APPROVED, State.PROVISIONING}),
    }
)
"""In which states a clock that began with an event goes on; out of them it has ended."""
_BEGINS: Final[Mapping[Action, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        Action.REQUEST_PRECHECK: ((REPLY, SUBMITTED),),
        Action.REQUEST_DECISION: ((REPLY, RECEIVED),),
        Action.ACCEPT: ((REPLY, RECEIVED),),
        Action.AGREE: ((REPLY, RECEIVED),),
        Action.ACCEPT_UNCONDITIONAL: ((UNCONDITIONAL_REPLY, RECEIVED), (SUPPLY, APPROVED)),
        Action.APPROVE: ((SUPPLY, APPROVED),),
        Action.APPROVE_IN_PART: ((SUPPLY, APPROVED),),
        Action.UPHOLD: ((SUPPLY, APPROVED),),
    }
)
"""Which duty begins with an action, and how packs call that event."""


@dataclass(frozen=True, slots=True)
class CaseClock:
    """One run of one clock over a case; ``number`` counts the runs of the case from 1."""

    number: int
    decided: Decided
    """The stage that runs, from which pack and article, and what it was chosen over."""
    run: ClockRun
    obliged: str
    """Who has to act: as the stage says, but a decision is owed by whoever decides in this case."""
    begun_by: int
    """The number of the event that began it."""
    ended_by: int | None = None

    @property
    def stage(self) -> Stage:
        """The stage of the duty."""
        content = self.decided.given.content
        if not isinstance(content, Stage):
            raise TypeError(f"{self.decided.key} is no clock")
        return content


@dataclass(frozen=True, slots=True)
class DueLine:
    """What is stored of a clock, so that nobody counts days to list what is due."""

    number: int
    key: str
    stage: str
    obliged: str
    begun_at: datetime
    ended_at: datetime | None
    due_on: date | None
    """None while the clock stands still."""
    provisional: bool
    waits_for: int | None
    """The year whose notice may still move the day."""
    advisory: bool
    late: bool
    """It ended after its last day."""
    remind_at: tuple[int, ...]
    remind_on: tuple[date, ...]

    @property
    def open(self) -> bool:
        """Whether the duty is still to be done."""
        return self.ended_at is None


def clocks_of(case: Case, policy: Bound, facts: Facts) -> tuple[CaseClock, ...]:
    """Every clock that ran or runs over a case, in the order in which they began."""
    clocks: list[CaseClock] = []
    state = State.DRAFT
    for event in case.events:
        after = TRANSITIONS[state, event.action].after
        clocks = [_moved(each, event, after) for each in clocks]
        clocks += _begun(clocks, event, policy, facts, case.opening.rules.decides)
        state = after
    return tuple(clocks)


def due_lines(clocks: tuple[CaseClock, ...], calendar: Calendar) -> tuple[DueLine, ...]:
    """The stored form of clocks, counted by a calendar."""
    return tuple(_line(each, calendar) for each in clocks)


def current_due(lines: tuple[DueLine, ...]) -> DueLine | None:
    """The duty that is due first among those that are open and do not stand still; targets come last."""
    running = [each for each in lines if each.open and each.due_on is not None]
    return min(running, key=lambda each: (each.advisory, each.due_on, each.number), default=None)


def _begun(
    clocks: list[CaseClock], event: Event, policy: Bound, facts: Facts, decides: Decides
) -> Iterator[CaseClock]:
    number = len(clocks)
    for key, named in _BEGINS.get(event.action, ()):
        for decided in policy.decide(key, facts):
            stage = decided.given.content
            if not isinstance(stage, Stage) or stage.starts_on != named or _runs(clocks, key, stage):
                continue
            if isinstance(stage.rule.length, AgreedDate):
                # Nobody agreed on a day in a case, so there is nothing to count to.
                continue
            number += 1
            run = start(stage.rule, event.when)
            ended = event.number if key == UNCONDITIONAL_REPLY else None
            if ended is not None:
                run = meet(run, event.when)
            yield CaseClock(number, decided, run, _obliged(key, stage, decides), event.number, ended)


def _obliged(key: str, stage: Stage, decides: Decides) -> str:
    """Who has to act.

    Packs of different layers give the time of a decision and who takes it: where a city lets the authority
    decide, the nation's stage still names the provider.
    """
    return decides.value if key == REPLY and stage.starts_on == RECEIVED else stage.obliged


def _runs(clocks: list[CaseClock], key: str, stage: Stage) -> bool:
    return any(
        each.ended_by is None and each.decided.key == key and each.stage.name == stage.name for each in clocks
    )


def _moved(clock: CaseClock, event: Event, after: State) -> CaseClock:
    """The clock after an event that did not begin it."""
    if clock.ended_by is not None:
        return clock
    run = clock.run
    if event.action is Action.RETURN and RETURNED in run.rule.pauses_while:
        return replace(clock, run=pause(run, event.when, RETURNED))
    if event.action is Action.SUPPLEMENT and run.open_pause is not None:
        return replace(clock, run=resume(run, event.when))
    if event.action is Action.EXTEND:
        return replace(clock, run=_extended(clock, event))
    if after in _SPANS[clock.stage.starts_on] or (run.pauses and after in _WITH_APPLICANT):
        return clock
    return replace(clock, run=meet(run, event.when), ended_by=event.number)


def _extended(clock: CaseClock, event: Event) -> ClockRun:
    """The run with the days that it was given, as far as its rule gives any.

    It was checked when it was written, and a holiday announced since then takes nothing back; only under
    another pack, in a simulation, the rule may not give them.
    """
    run, more = clock.run, event.more_time
    allowed = run.rule.extension
    if more is None or more.clock != clock.number or allowed is None or run.extended is not None:
        return run
    return replace(run, extended=Extended(min(more.days, allowed.most), more.approver, event.when))


def _line(clock: CaseClock, calendar: Calendar) -> DueLine:
    stage, run = clock.stage, clock.run
    stands = standing(run, calendar, run.met or _last(run))
    return DueLine(
        number=clock.number,
        key=clock.decided.key,
        stage=stage.name,
        obliged=clock.obliged,
        begun_at=run.started,
        ended_at=run.met,
        due_on=None if stands.due is None else stands.due.day,
        provisional=stands.due is not None and stands.due.provisional,
        waits_for=None if stands.due is None else stands.due.waits_for,
        advisory=run.rule.advisory,
        late=stands.state is Standing.MET_LATE,
        remind_at=tuple(each.percent for each in stands.reminders),
        remind_on=tuple(each.day for each in stands.reminders),
    )


def _last(run: ClockRun) -> datetime:
    """The last moment at which something happened to a clock: what is stored depends on no later one."""
    moments = [
        run.started,
        *(each.begin for each in run.pauses),
        *(each.end for each in run.pauses if each.end),
        *([] if run.extended is None else [run.extended.at]),
    ]
    return max(moments)
