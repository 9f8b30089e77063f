"""A sharing case: what it was opened with and its events; everything else about it is the fold of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Final

from services.control.cases.application import Application
from services.control.cases.decision import Approval, Refusal, as_applied
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import (
    Fault,
    Step,
    StepProgress,
    again,
    failed,
    finished,
    imported,
    resumed,
    steps_of,
)
from services.control.cases.table import TRANSITIONS
from services.control.cases.words import Action, Actor, CaseRules, RefusalReason, Role, State, StopReason
from services.control.catalogue.vocabulary import Grade
from topics.event import GrantId, ProviderId
from topics.resource import Resource
from topics.schema_rules import ItemForm


@dataclass(frozen=True, slots=True)
class Opening:
    """What a case begins with and keeps: its ids, its parties and the rules that are bound to it."""

    id: str
    grant: GrantId
    """The id of the grant that may come of it."""
    provider: ProviderId
    application: Application
    """The first draft; the applicant and the resource never change."""
    rules: CaseRules

    @property
    def applicant(self) -> str:
        """The department that applies."""
        return self.application.applicant


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; the table says what each one demands."""

    text: str = ""
    refusal_reason: RefusalReason | None = None
    acceptable_if: str = ""
    stop_reason: StopReason | None = None
    application: Application | None = None
    approval: Approval | None = None
    step: Step | None = None
    fault: Fault | None = None
    """Why a step failed; the text holds the details."""
    order: str = ""
    """The order of the kill switch that a suspension follows: it is in force already."""
    undone: tuple[Step, ...] = ()
    """The steps that were taken back, for ROLL_BACK."""
    more_time: MoreTime | None = None
    whole: tuple[tuple[str, str], ...] = ()
    """With what gives something: items that go out whole in spite of their grade, each with its why."""
    resource: Resource | None = None
    """The entry as it stands now."""
    forms: Mapping[str, ItemForm] = field(default_factory=dict)
    """The types of its items."""
    grades: Mapping[str, Grade] = field(default_factory=dict)
    """The grades of its items; one that is not named has none."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a case; ``number`` counts from 1. It never changes."""

    number: int
    action: Action
    who: Actor
    when: datetime
    text: str = ""
    refusal_reason: RefusalReason | None = None
    acceptable_if: str = ""
    stop_reason: StopReason | None = None
    application: Application | None = None
    approval: Approval | None = None
    step: Step | None = None
    fault: Fault | None = None
    order: str = ""
    undone: tuple[Step, ...] = ()
    more_time: MoreTime | None = None
    whole: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case stands; made by ``opened`` and ``evolved`` only."""

    opening: Opening
    events: tuple[Event, ...]
    state: State
    application: Application
    approval: Approval | None = None
    """What was given last, whether it is in force or not."""
    refusal: Refusal | None = None
    level: int = 0
    """The level of escalation that was reached, from 1."""
    suspended_by: Role | None = None
    steps: tuple[StepProgress, ...] = ()
    undone: tuple[Step, ...] = ()
    open_complaints: int = 0

    def step(self, step: Step) -> StepProgress | None:
        """How far a step is, or None where the case does not need it."""
        return next((each for each in self.steps if each.step is step), None)


TERMINAL: Final = frozenset({State.REFUSED_FINALLY, State.WITHDRAWN, State.TERMINATED, State.EXPIRED})
"""States that nothing leads out of; complaints are answered in them, too."""
STRONG: Final = (Role.AUTHORITY, Role.SYSTEM)
"""As whom a case is suspended so that only the authority resumes it."""


def opened(opening: Opening) -> Case:
    """A new case: a draft without events."""
    return Case(opening, (), State.DRAFT, opening.application)


def fold(opening: Opening, events: Iterable[Event]) -> Case:
    """The case that its events lead to."""
    return reduce(evolved, events, opened(opening))


def evolved(case: Case, event: Event) -> Case:
    """The case after one more event, which was checked before it was written.

    Raises:
        KeyError: the event cannot happen in the state that the case is in.
    """
    moved = replace(case, events=(*case.events, event), state=TRANSITIONS[case.state, event.action].after)
    return _effects(moved, event)


def pauses(case: Case) -> tuple[tuple[datetime, datetime | None], ...]:
    """When the clock stood still because the case was returned; the end is None while it is returned."""
    found: list[tuple[datetime, datetime | None]] = []
    for event in case.events:
        if event.action is Action.RETURN:
            found.append((event.when, None))
        elif event.action in (Action.SUPPLEMENT, Action.WITHDRAW) and found and found[-1][1] is None:
            found[-1] = (found[-1][0], event.when)
    return tuple(found)


def _effects(case: Case, event: Event) -> Case:
    match event.action:
        case Action.EDIT | Action.SUPPLEMENT:
            return replace(case, application=event.application or case.application)
        case Action.APPROVE | Action.ACCEPT_UNCONDITIONAL:
            given = replace(as_applied(case.application), whole=event.whole)
            return replace(case, approval=given, refusal=None)
        case Action.APPROVE_IN_PART | Action.UPHOLD:
            part = None if event.approval is None else replace(event.approval, whole=event.whole)
            return replace(case, approval=part, refusal=None)
        case Action.IMPORT:
            steps = imported(case.application.mode)
            return replace(case, approval=event.approval, steps=steps)
        case Action.REFUSE | Action.DISMISS:
            return replace(case, approval=None, refusal=_refusal(event))
        case Action.ESCALATE:
            return replace(case, level=case.level + 1)
        case Action.AGREE:
            return replace(case, level=0)
        case Action.COMPLAIN:
            return replace(case, open_complaints=case.open_complaints + 1)
        case Action.REPLY:
            return replace(case, open_complaints=case.open_complaints - 1)
        case _:
            return _serving(case, event)


def _serving(case: Case, event: Event) -> Case:
    match event.action:
        case Action.PROVISION:
            return replace(case, steps=steps_of(case.application.mode))
        case Action.STEP_DONE if event.step:
            return replace(case, steps=finished(case.steps, event.step))
        case Action.STEP_FAILED if event.step:
            return replace(case, steps=failed(case.steps, event.step, event.text, event.fault))
        case Action.RETRY_STEP if event.step:
            return replace(case, steps=again(case.steps, event.step))
        case Action.ROLL_BACK:
            return replace(case, undone=event.undone)
        case Action.SUSPEND:
            return replace(case, suspended_by=_stronger(case.suspended_by, event.who.role))
        case Action.RESUME:
            return replace(case, suspended_by=None, steps=resumed(case.steps))
        case _:
            return case


def _stronger(before: Role | None, now: Role) -> Role:
    """Whose suspension it is: nobody makes that of the authority, or of the switch, his own."""
    return before if before in STRONG else now


def _refusal(event: Event) -> Refusal | None:
    if event.refusal_reason is None:
        return None
    return Refusal(event.refusal_reason, event.text, event.acceptable_if)
