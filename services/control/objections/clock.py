"""The clock of an objection: from its receipt to the answer, extended once (requirement A10-04)."""

from dataclasses import dataclass, replace
from typing import Final

from services.control.clocks.pack import Source
from services.control.clocks.rules import Stage
from services.control.clocks.running import ClockRun, Extended
from services.control.clocks.steps import meet, start
from services.control.docket.bound import Bound
from services.control.objections.objection import Objection
from services.control.objections.words import Action

KEY: Final = "clocks.open.objection"


@dataclass(frozen=True, slots=True)
class Clock:
    """The duty to answer, and from which article it is."""

    run: ClockRun
    stage: Stage
    source: Source


def clock_of(objection: Objection, policy: Bound | None) -> Clock | None:
    """The clock under the policy that the objection was received under; None where no pack gives one."""
    decided = () if policy is None else policy.decide(KEY, {})
    stage = decided[0].given.content if decided else None
    if not isinstance(stage, Stage):
        return None
    run = start(stage.rule, objection.opening.when)
    for event in objection.events:
        given = event.given
        if event.action is Action.EXTEND:
            # It was checked when it was written: a holiday announced since then takes nothing back.
            run = replace(run, extended=Extended(given.days or 0, given.approver, event.when))
        else:
            run = meet(run, event.when)
    return Clock(run, stage, decided[0].given.source)
