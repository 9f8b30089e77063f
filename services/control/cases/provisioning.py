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


class Fault(StrEnum):
    """Why a step failed; what happened in detail stands beside it."""

    GRANTS_IN_FILES = "GRANTS_IN_FILES"
    CONSUMER_NOT_ON_BUS = "CONSUMER_NOT_ON_BUS"
    RESOURCE_NOT_ON_BUS = "RESOURCE_NOT_ON_BUS"
    HELD = "HELD"
    """Another suspension holds the grant."""
    SUSPENSION_UNCUT = "SUSPENSION_UNCUT"
    OVERTAKEN = "OVERTAKEN"
    """The bus is at a later event of the case, or the grant was changed meanwhile."""
    BEYOND_DECISION = "BEYOND_DECISION"
    """As the entry stands now, the grant would not be what was decided."""
    GRANT_OF_OTHERS = "GRANT_OF_OTHERS"
    SHRINKS = "SHRINKS"
    """The epoch would remove much of what the consumer holds."""
    EPOCH_INTERRUPTED = "EPOCH_INTERRUPTED"
    OTHER_WRITER = "OTHER_WRITER"
    INSTANCE_UNNAMED = "INSTANCE_UNNAMED"
    TRANSACTION_OPEN = "TRANSACTION_OPEN"
    NO_POLICY = "NO_POLICY"
    LEDGER_NOT_READY = "LEDGER_NOT_READY"
    REGISTRY_REFUSED = "REGISTRY_REFUSED"
    REGISTRY_SILENT = "REGISTRY_SILENT"
    BUS_SILENT = "BUS_SILENT"
    FOLDER_UNUSABLE = "FOLDER_UNUSABLE"
    CASE_UNREADABLE = "CASE_UNREADABLE"
    DATABASE_BUSY = "DATABASE_BUSY"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step of one case; ``fault`` and ``reason`` say why it failed last, also while it is tried again."""

    step: Step
    progress: Progress = Progress.PENDING
    attempts: int = 0
    reason: str = ""
    fault: Fault | None = None
    """None where it never failed, or did before faults had codes."""


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
    return _changed(steps, step, StepProgress(step, Progress.DONE, 1))


def failed(
    steps: tuple[StepProgress, ...], step: Step, reason: str, fault: Fault | None = None
) -> tuple[StepProgress, ...]:
    """The steps after that one failed."""
    return _changed(steps, step, StepProgress(step, Progress.FAILED, 1, reason, fault))


def again(steps: tuple[StepProgress, ...], step: Step) -> tuple[StepProgress, ...]:
    """The steps with that one to be tried again; why it failed last stays readable."""
    return tuple(replace(each, progress=Progress.PENDING) if each.step is step else each for each in steps)


def resumed(steps: tuple[StepProgress, ...]) -> tuple[StepProgress, ...]:
    """The steps after a suspension: what it took away is to be made anew, the back-fill too."""
    return tuple(each if each.step in _KEPT else StepProgress(each.step) for each in steps)


def done_steps(steps: Collection[StepProgress]) -> frozenset[Step]:
    """The steps that were carried through."""
    return frozenset(each.step for each in steps if each.progress is Progress.DONE)


def _changed(steps: tuple[StepProgress, ...], step: Step, now: StepProgress) -> tuple[StepProgress, ...]:
    """The steps with that one as it is now, tried once more."""
    return tuple(
        replace(now, attempts=each.attempts + now.attempts) if each.step is step else each for each in steps
    )
