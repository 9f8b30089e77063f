"""The life cycle of a ticket as one table: from where, by which action, to where, by whom, with what.

What is not in the table cannot happen. Conditions beyond it stand in ``guards.py``. (Requirements A9-01 to
A9-07.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.tickets.words import Action, Party, State


class Demand(StrEnum):
    """What must be given with an action."""

    TEXT = "text"
    REFUSAL_REASON = "refusal_reason"
    ACCEPTABLE_IF = "acceptable_if"
    REPORTED = "reported"
    CORRECTION = "correction"
    RECEIPTS = "receipts"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, who may take it, and what it demands."""

    after: State
    parties: tuple[Party, ...]
    demands: tuple[Demand, ...] = ()


_REPORTER: Final = (Party.REPORTER,)
_PROVIDER: Final = (Party.PROVIDER,)
_AUTHORITY: Final = (Party.AUTHORITY,)
_ARBITER: Final = (Party.ARBITER,)
_SYSTEM: Final = (Party.SYSTEM,)
_TEXT: Final = (Demand.TEXT,)
_REFUSAL: Final = (Demand.REFUSAL_REASON, Demand.TEXT, Demand.ACCEPTABLE_IF)
_CORRECTION: Final = (Demand.CORRECTION,)

_WITHDRAWAL: Final = Transition(State.WITHDRAWN, _REPORTER)
_ARRIVAL: Final = Transition(State.CORRECTED, _SYSTEM, _CORRECTION)
_REVERSION: Final = Transition(State.CORRECTING, _SYSTEM, _CORRECTION)
_ESCALATION: Final = Transition(State.ESCALATED, _REPORTER, _TEXT)

_JUDGING: Final = {
    (State.REPORTED, Action.FORWARD): Transition(State.VERIFYING, _SYSTEM),
    (State.REPORTED, Action.DISPATCH): Transition(State.VERIFYING, _AUTHORITY),
    (State.REPORTED, Action.RETURN): Transition(State.RETURNED, _AUTHORITY, _TEXT),
    (State.REPORTED, Action.WITHDRAW): _WITHDRAWAL,
    (State.RETURNED, Action.SUPPLEMENT): Transition(State.REPORTED, _REPORTER, _TEXT),
    (State.RETURNED, Action.WITHDRAW): _WITHDRAWAL,
    (State.VERIFYING, Action.ACCEPT): Transition(State.CORRECTING, _PROVIDER, _TEXT),
    (State.VERIFYING, Action.REFUSE): Transition(State.REFUSED, _PROVIDER, _REFUSAL),
    (State.VERIFYING, Action.ARRIVE): _ARRIVAL,
    (State.VERIFYING, Action.ESCALATE): _ESCALATION,
    (State.VERIFYING, Action.WITHDRAW): _WITHDRAWAL,
    (State.REFUSED, Action.ESCALATE): _ESCALATION,
    (State.REFUSED, Action.CONFIRM): Transition(State.CLOSED, _REPORTER),
    (State.REFUSED, Action.ARRIVE): _ARRIVAL,
    (State.ESCALATED, Action.UPHOLD): Transition(State.CORRECTING, _ARBITER, _TEXT),
    (State.ESCALATED, Action.DISMISS): Transition(State.DISMISSED, _ARBITER, _REFUSAL),
    (State.ESCALATED, Action.ESCALATE): Transition(State.ESCALATED, (Party.REPORTER, Party.PROVIDER), _TEXT),
    (State.ESCALATED, Action.ARRIVE): _ARRIVAL,
    (State.ESCALATED, Action.WITHDRAW): _WITHDRAWAL,
}
_CORRECTING: Final = {
    (State.CORRECTING, Action.ARRIVE): _ARRIVAL,
    (State.CORRECTING, Action.ESCALATE): _ESCALATION,
    (State.CORRECTED, Action.CONFIRM): Transition(State.CONFIRMED, _REPORTER),
    (State.CORRECTED, Action.REOPEN): Transition(State.VERIFYING, _REPORTER, (Demand.TEXT, Demand.REPORTED)),
    (State.CORRECTED, Action.REVERT): _REVERSION,
    (State.CONFIRMED, Action.REVERT): _REVERSION,
    (State.CONFIRMED, Action.CLOSE): Transition(State.CLOSED, _SYSTEM),
}
LISTED: Final = (
    State.VERIFYING,
    State.REFUSED,
    State.ESCALATED,
    State.CORRECTING,
    State.CORRECTED,
    State.CONFIRMED,
)
"""States in which it is asked of the ledger who received the wrong version."""
TOLD: Final = (*LISTED, State.CLOSED, State.DISMISSED, State.WITHDRAWN)
"""States in which consumers are told: also afterwards, where a dispute came to nothing."""
_TELLING: Final = {
    **{(state, Action.LIST): Transition(state, _SYSTEM, (Demand.RECEIPTS,)) for state in LISTED},
    **{(state, Action.TELL): Transition(state, _SYSTEM, (Demand.TOLD,)) for state in TOLD},
}

TRANSITIONS: Final[Mapping[tuple[State, Action], Transition]] = _JUDGING | _CORRECTING | _TELLING
"""All that can happen to a ticket."""
