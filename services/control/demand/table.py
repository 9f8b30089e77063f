"""The life of a need as one table: from where, by which action, to where, by whom, with what.

What is not in the table cannot happen. (Requirements A2-09, A6-07.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.demand.words import Action, Party, State


class Demand(StrEnum):
    """What must be given with an action."""

    TEXT = "text"
    REASON = "reason"
    DEPARTMENT = "department"
    CODE = "code"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, who may take it, and what it demands."""

    after: State
    party: Party
    demands: tuple[Demand, ...] = ()


_ASSIGNMENT: Final = Transition(State.ASSIGNED, Party.AUTHORITY, (Demand.DEPARTMENT,))
_WITHDRAWAL: Final = Transition(State.WITHDRAWN, Party.CONSUMER)

TRANSITIONS: Final[Mapping[tuple[State, Action], Transition]] = {
    (State.STATED, Action.ASSIGN): _ASSIGNMENT,
    (State.STATED, Action.DECLINE): Transition(State.DECLINED, Party.AUTHORITY, (Demand.REASON, Demand.TEXT)),
    (State.STATED, Action.POINT): Transition(State.KNOWN, Party.AUTHORITY, (Demand.CODE,)),
    (State.STATED, Action.WITHDRAW): _WITHDRAWAL,
    (State.KNOWN, Action.POINT): Transition(State.KNOWN, Party.AUTHORITY, (Demand.CODE,)),
    (State.KNOWN, Action.WITHDRAW): _WITHDRAWAL,
    (State.ASSIGNED, Action.ASSIGN): _ASSIGNMENT,
    (State.ASSIGNED, Action.HAND_BACK): Transition(State.STATED, Party.ASSIGNEE, (Demand.TEXT,)),
    (State.ASSIGNED, Action.DRAFT): Transition(State.DRAFTED, Party.ASSIGNEE, (Demand.ENTRY,)),
    (State.ASSIGNED, Action.WITHDRAW): _WITHDRAWAL,
}
"""All that can happen to a need."""
