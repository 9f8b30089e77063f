"""The life cycle of a sharing case as one table: from where, by which action, to where, by whom, with what.

What is not in the table cannot happen. Conditions beyond it stand in ``guards.py``. (State machine 3;
requirements A6-04, A6-06, A6-08, A6-10, A6-11, A8-05.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.cases.words import Action, Party, State


class Demand(StrEnum):
    """What must be given with an action."""

    TEXT = "text"
    REFUSAL_REASON = "refusal_reason"
    ACCEPTABLE_IF = "acceptable_if"
    STOP_REASON = "stop_reason"
    APPLICATION = "application"
    APPROVAL = "approval"
    RESOURCE = "resource"
    """The entry as it stands now; its caller gives it, no person does."""
    STEP = "step"
    MORE_TIME = "more_time"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, who may take it, and what it demands."""

    after: State
    parties: tuple[Party, ...]
    demands: tuple[Demand, ...] = ()


_APPLICANT: Final = (Party.APPLICANT,)
_DECIDER: Final = (Party.DECIDER,)
_SYSTEM: Final = (Party.SYSTEM,)
_ARBITER: Final = (Party.ARBITER,)
_TEXT: Final = (Demand.TEXT,)
_REFUSAL: Final = (Demand.REFUSAL_REASON, Demand.TEXT, Demand.ACCEPTABLE_IF)
_STOP: Final = (Demand.STOP_REASON, Demand.TEXT)
_STOPPERS: Final = (Party.ANY_AUTHORITY, Party.PROVIDER)
_ENDERS: Final = (Party.ANY_AUTHORITY, Party.PROVIDER, Party.APPLICANT, Party.SYSTEM)

_WITHDRAWAL: Final = Transition(State.WITHDRAWN, _APPLICANT)
_EXPIRY: Final = Transition(State.EXPIRED, _SYSTEM)
_TERMINATION: Final = Transition(State.TERMINATED, _ENDERS, _STOP)
_SUSPENSION: Final = Transition(State.SUSPENDED, (*_STOPPERS, Party.SYSTEM), _STOP)

_APPLYING: Final = {
    (State.DRAFT, Action.EDIT): Transition(State.DRAFT, _APPLICANT, (Demand.APPLICATION,)),
    (State.DRAFT, Action.SUBMIT): Transition(State.SUBMITTED, _APPLICANT, (Demand.RESOURCE,)),
    (State.DRAFT, Action.APPEAL): Transition(State.NEGOTIATING, _APPLICANT, (Demand.TEXT, Demand.RESOURCE)),
    (State.DRAFT, Action.WITHDRAW): _WITHDRAWAL,
    (State.DRAFT, Action.IMPORT): Transition(State.ACTIVE, _SYSTEM, (Demand.APPROVAL, Demand.TEXT)),
    (State.SUBMITTED, Action.REQUEST_PRECHECK): Transition(State.PRECHECK, _SYSTEM, (Demand.RESOURCE,)),
    (State.SUBMITTED, Action.REQUEST_DECISION): Transition(State.DECIDING, _SYSTEM, (Demand.RESOURCE,)),
    (State.SUBMITTED, Action.ACCEPT_UNCONDITIONAL): Transition(State.APPROVED, _SYSTEM, (Demand.RESOURCE,)),
    (State.SUBMITTED, Action.WITHDRAW): _WITHDRAWAL,
    (State.PRECHECK, Action.ACCEPT): Transition(State.DECIDING, (Party.AUTHORITY,)),
    (State.PRECHECK, Action.RETURN): Transition(State.RETURNED, (Party.AUTHORITY,), _TEXT),
    (State.PRECHECK, Action.WITHDRAW): _WITHDRAWAL,
    (State.RETURNED, Action.SUPPLEMENT): Transition(
        State.SUBMITTED, _APPLICANT, (Demand.APPLICATION, Demand.RESOURCE)
    ),
    (State.RETURNED, Action.WITHDRAW): _WITHDRAWAL,
}
_DECIDING: Final = {
    (State.DECIDING, Action.RETURN): Transition(State.RETURNED, _DECIDER, _TEXT),
    (State.DECIDING, Action.APPROVE): Transition(State.APPROVED, _DECIDER, (Demand.RESOURCE,)),
    (State.DECIDING, Action.APPROVE_IN_PART): Transition(
        State.APPROVED, _DECIDER, (Demand.APPROVAL, Demand.TEXT, Demand.RESOURCE)
    ),
    (State.DECIDING, Action.REFUSE): Transition(State.REFUSED, _DECIDER, _REFUSAL),
    (State.DECIDING, Action.NEGOTIATE): Transition(
        State.NEGOTIATING, (Party.APPLICANT, Party.DECIDER), _TEXT
    ),
    (State.DECIDING, Action.ESCALATE): Transition(State.ESCALATED, (Party.APPLICANT, Party.SYSTEM), _TEXT),
    (State.DECIDING, Action.WITHDRAW): _WITHDRAWAL,
    (State.REFUSED, Action.APPEAL): Transition(State.NEGOTIATING, _APPLICANT, (Demand.TEXT, Demand.RESOURCE)),
    (State.NEGOTIATING, Action.AGREE): Transition(State.DECIDING, _DECIDER, _TEXT),
    (State.NEGOTIATING, Action.ESCALATE): Transition(
        State.ESCALATED, (Party.APPLICANT, Party.DECIDER), _TEXT
    ),
    (State.NEGOTIATING, Action.WITHDRAW): _WITHDRAWAL,
    (State.ESCALATED, Action.ESCALATE): Transition(State.ESCALATED, (Party.APPLICANT, Party.DECIDER), _TEXT),
    (State.ESCALATED, Action.UPHOLD): Transition(
        State.APPROVED, _ARBITER, (Demand.APPROVAL, Demand.TEXT, Demand.RESOURCE)
    ),
    (State.ESCALATED, Action.DISMISS): Transition(State.REFUSED_FINALLY, _ARBITER, _REFUSAL),
    (State.ESCALATED, Action.WITHDRAW): _WITHDRAWAL,
}
_SERVING: Final = {
    (State.APPROVED, Action.PROVISION): Transition(State.PROVISIONING, _SYSTEM),
    (State.APPROVED, Action.WITHDRAW): _WITHDRAWAL,
    (State.APPROVED, Action.TERMINATE): _TERMINATION,
    (State.APPROVED, Action.EXPIRE): _EXPIRY,
    (State.PROVISIONING, Action.STEP_DONE): Transition(State.PROVISIONING, _SYSTEM, (Demand.STEP,)),
    (State.PROVISIONING, Action.STEP_FAILED): Transition(
        State.PROVISIONING, _SYSTEM, (Demand.STEP, Demand.TEXT)
    ),
    (State.PROVISIONING, Action.RETRY_STEP): Transition(
        State.PROVISIONING, (Party.SYSTEM, Party.OPERATOR), (Demand.STEP,)
    ),
    (State.PROVISIONING, Action.ACTIVATE): Transition(State.ACTIVE, _SYSTEM),
    (State.PROVISIONING, Action.ROLL_BACK): Transition(State.TERMINATED, _SYSTEM, _TEXT),
    (State.PROVISIONING, Action.SUSPEND): _SUSPENSION,
    (State.PROVISIONING, Action.TERMINATE): Transition(State.TERMINATED, _SYSTEM, _STOP),
    (State.PROVISIONING, Action.EXPIRE): _EXPIRY,
    (State.ACTIVE, Action.SUSPEND): _SUSPENSION,
    (State.ACTIVE, Action.TERMINATE): _TERMINATION,
    (State.ACTIVE, Action.EXPIRE): _EXPIRY,
    (State.SUSPENDED, Action.SUSPEND): _SUSPENSION,
    (State.SUSPENDED, Action.RESUME): Transition(
        State.PROVISIONING, (Party.AUTHORITY, Party.PROVIDER), _TEXT
    ),
    (State.SUSPENDED, Action.TERMINATE): _TERMINATION,
    (State.SUSPENDED, Action.EXPIRE): _EXPIRY,
}
_COMPLAINING: Final = {
    (state, action): Transition(state, parties, _TEXT)
    for state in State
    if state is not State.DRAFT
    for action, parties in (
        (Action.COMPLAIN, (Party.ANYONE,)),
        (Action.REPLY, (Party.AUTHORITY,)),
    )
}

_EXTENDING: Final = {
    (state, Action.EXTEND): Transition(state, parties, (Demand.MORE_TIME, Demand.TEXT))
    for state, parties in (
        (State.PRECHECK, (Party.AUTHORITY,)),
        (State.DECIDING, (Party.DECIDER, Party.AUTHORITY)),
        (State.APPROVED, (Party.PROVIDER, Party.AUTHORITY)),
        (State.PROVISIONING, (Party.PROVIDER, Party.AUTHORITY)),
    )
}
"""Where a duty runs, of those who have it and of who may approve that it takes longer."""

TRANSITIONS: Final[Mapping[tuple[State, Action], Transition]] = (
    _APPLYING | _DECIDING | _SERVING | _EXTENDING | _COMPLAINING
)
"""All that can happen to a case."""
