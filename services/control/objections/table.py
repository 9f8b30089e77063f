"""The life of an objection as one table: from where, by which action, to where, by whom, with what.

What is not in the table cannot happen. (Requirement A10-04: a denial needs reason and basis.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.objections.words import Action, Party, State


class Demand(StrEnum):
    """What must be given with an action."""

    TEXT = "text"
    BASIS = "basis"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, who may take it, and what it demands."""

    after: State
    party: Party
    demands: tuple[Demand, ...] = ()


TRANSITIONS: Final[Mapping[tuple[State, Action], Transition]] = {
    (State.RECEIVED, Action.EXTEND): Transition(State.RECEIVED, Party.PROVIDER, (Demand.TEXT, Demand.DAYS)),
    (State.RECEIVED, Action.ACCEPT): Transition(State.ACCEPTED, Party.PROVIDER, (Demand.TEXT,)),
    (State.RECEIVED, Action.DENY): Transition(State.DENIED, Party.PROVIDER, (Demand.TEXT, Demand.BASIS)),
    (State.RECEIVED, Action.WITHDRAW): Transition(State.WITHDRAWN, Party.OBJECTOR),
}
"""All that can happen to an objection."""
