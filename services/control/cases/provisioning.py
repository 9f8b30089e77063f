"""The steps from a decision to delivery, as data: each pending, done or failed, in one order."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.control.cases.words import DeliveryMode


class Step(StrEnum):
    """What must exist or have happened, in this order, before a case is provisioned."""

    TOPIC = "topic"
    CREDENTIAL = "credential"
    RIGHTS = "rights"
    POLICY = "policy"
    ACKNOWLEDGED = "acknowledged"
    """Every fan-out instance applies the policy version."""
    BACK_FILL = "back_fill"
    ANNOUNCED = "announced"
    """The applicant was told that it can begin."""


class Progress(StrEnum):
    """How far a step is."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step of one case; ``reason`` says why it failed last and is kept while it is tried again."""

    step: Step
    progress: Progress = Progress.PENDING
    attempts: int = 0
    reason: str = ""


_ASKED: Final = (Step.CREDENTIAL, Step.RIGHTS, Step.POLICY, Step.ANNOUNCED)
"""Of modes in which each answer is asked for: there is no topic and nothing to fill."""
_KEPT: Final = frozenset({Step.TOPIC, Step.CREDENTIAL})
"""What a suspension leaves in place."""


def steps_of(mode: DeliveryMode) -> tuple[StepProgress, ...]:
    """The steps that a delivery mode needs, all pending."""
    needed = _ASKED if mode in (DeliveryMode.QUERY, DeliveryMode.VERIFICATION) else tuple(Step)
    return tuple(StepProgress(step) for step in needed)


def imported(mode: DeliveryMode) -> tuple[StepProgress, ...]:
    """The steps of a grant that delivered before it was a case: all done, none of them counted."""
    return tuple(replace(each, progress=Progress.DONE) for each in steps_of(mode))


def is_turn(steps: Collection[StepProgress], step: Step) -> bool:
    """Whether a step is the next one: all before it are done, and it is pending itself."""
    for each in steps:
        if each.progress is not Progress.DONE:
            return each.step is step and each.progress is Progress.PENDING
    return False


def finished(steps: tuple[StepProgress, ...], step: Step) -> tuple[StepProgress, ...]:
    """The steps after that one was carried through."""
    return _changed(steps, step, Progress.DONE, "", 1)


def failed(steps: tuple[StepProgress, ...], step: Step, reason: str) -> tuple[StepProgress, ...]:
    """The steps after that one failed."""
    return _changed(steps, step, Progress.FAILED, reason, 1)


def again(steps: tuple[StepProgress, ...], step: Step) -> tuple[StepProgress, ...]:
    """The steps with that one to be tried again; why it failed last stays readable."""
    reason = next((each.reason for each in steps if each.step is step), "")
    return _changed(steps, step, Progress.PENDING, reason, 0)


def resumed(steps: tuple[StepProgress, ...]) -> tuple[StepProgress, ...]:
    """The steps after a suspension: what it took away is to be made anew, the back-fill too."""
    return tuple(each if each.step in _KEPT else StepProgress(each.step) for each in steps)


def done_steps(steps: Collection[StepProgress]) -> frozenset[Step]:
    """The steps that were carried through."""
    return frozenset(each.step for each in steps if each.progress is Progress.DONE)


def _changed(
    steps: tuple[StepProgress, ...], step: Step, progress: Progress, reason: str, tried: int
) -> tuple[StepProgress, ...]:
    return tuple(
        replace(each, progress=progress, reason=reason, attempts=each.attempts + tried)
        if each.step is step
        else each
        for each in steps
    )
