"""A case as it is filed: with its number, and the policy and facts that it is bound to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from services.control.cases.case import Case
from services.control.cases.words import State
from services.control.docket.bound import Bound
from services.control.docket.case_clocks import CaseClock, DueLine, clocks_of, current_due
from services.control.docket.written import application_document, approval_document, refusal_document

_ENDING: Final = frozenset({State.APPROVED, State.PROVISIONING, State.ACTIVE, State.SUSPENDED})
"""States of a case that expires after the last day of its approval."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A case with what the docket keeps beside it."""

    case: Case
    number: int
    """The number by which people call it."""
    digest: str
    """Of the policy that it is bound to."""
    policy: Bound = field(repr=False)
    facts: Mapping[str, str]
    """What was so when it was opened and decides which stages of clocks apply."""
    entry_code: str
    recorders: tuple[str, ...] = ()
    """For each event the account that entered it for its actor; empty where the actor did."""

    @property
    def version(self) -> int:
        """Counts the events; whoever decides names the version that he saw."""
        return len(self.case.events)

    @property
    def folded(self) -> dict[str, Any]:
        """What its events come to, without what is due: that needs a calendar."""
        return folded(self.case, ())

    @property
    def clocks(self) -> tuple[CaseClock, ...]:
        """Every clock that ran or runs over the case."""
        return clocks_of(self.case, self.policy, self.facts)


def ends_on(case: Case) -> date | None:
    """The last day of what was approved, where the case expires after it."""
    return case.approval.end if case.approval is not None and case.state in _ENDING else None


def folded(case: Case, lines: tuple[DueLine, ...]) -> dict[str, Any]:
    """What the events of a case come to, as it stands in the table of cases beside them."""
    due = current_due(lines)
    return {
        "version": len(case.events),
        "state": case.state.value,
        "level": case.level,
        "suspended_by": None if case.suspended_by is None else case.suspended_by.value,
        "open_complaints": case.open_complaints,
        "application": application_document(case.application),
        "approval": None if case.approval is None else approval_document(case.approval),
        "refusal": None if case.refusal is None else refusal_document(case.refusal),
        "undone": [step.value for step in case.undone],
        "ends_on": ends_on(case),
        "due_on": None if due is None else due.due_on,
        "due_for": None if due is None else due.stage,
        "due_from": None if due is None else due.obliged,
        "due_provisional": None if due is None else due.provisional,
    }


def step_rows(case: Case) -> list[dict[str, Any]]:
    """The provisioning steps of a case as rows."""
    return [
        {
            "position": position,
            "step": each.step.value,
            "progress": each.progress.value,
            "attempts": each.attempts,
            "reason": each.reason,
            "fault": None if each.fault is None else each.fault.value,
        }
        for position, each in enumerate(case.steps)
    ]


def clock_rows(lines: tuple[DueLine, ...]) -> list[dict[str, Any]]:
    """The clocks of a case as rows, without what was told about them."""
    return [
        {
            "number": each.number,
            "key": each.key,
            "stage": each.stage,
            "obliged": each.obliged,
            "begun_at": each.begun_at,
            "ended_at": each.ended_at,
            "due_on": each.due_on,
            "provisional": each.provisional,
            "waits_for": each.waits_for,
            "advisory": each.advisory,
            "late": each.late,
            "remind_at": list(each.remind_at),
            "remind_on": list(each.remind_on),
        }
        for each in lines
    ]
