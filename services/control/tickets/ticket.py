"""A ticket about problem data: what it was opened with and its events; all else is the fold of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final

from services.control.cases.words import Actor
from services.control.tickets.correction import Correction
from services.control.tickets.evidence import Evidence, Reported
from services.control.tickets.recipients import Receipt, Told
from services.control.tickets.table import TRANSITIONS
from services.control.tickets.words import Action, NoticeKind, RefusalReason, State, TicketRules
from topics.event import ProviderId


@dataclass(frozen=True, slots=True)
class Opening:
    """The report that a ticket begins with; the rules of the policy pack are bound to it."""

    id: str
    reporter: Actor
    when: datetime
    reported: Reported
    statement: str
    evidence: tuple[Evidence, ...]
    rules: TicketRules

    @property
    def provider(self) -> ProviderId:
        """The department that owns the record."""
        return self.reported.provider


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; the table says what each one demands."""

    text: str = ""
    refusal_reason: RefusalReason | None = None
    acceptable_if: str = ""
    evidence: tuple[Evidence, ...] = ()
    """More of it, with SUPPLEMENT, REOPEN and ESCALATE."""
    reported: Reported | None = None
    """The version that is still wrong, with REOPEN."""
    correction: Correction | None = None
    receipts: tuple[Receipt, ...] | None = None
    """All that the ledger names; none where nobody received it."""
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a ticket; ``number`` counts from 1. It never changes."""

    number: int
    action: Action
    who: Actor
    when: datetime
    text: str = ""
    refusal_reason: RefusalReason | None = None
    acceptable_if: str = ""
    evidence: tuple[Evidence, ...] = ()
    reported: Reported | None = None
    correction: Correction | None = None
    receipts: tuple[Receipt, ...] | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is corrected, and what would change that."""

    reason: RefusalReason
    text: str
    acceptable_if: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where a ticket stands; made by ``opened`` and ``evolved`` only."""

    opening: Opening
    events: tuple[Event, ...]
    state: State
    reported: Reported
    """What is disputed now: after a ticket was reopened, of the version that was still wrong."""
    round: int = 1
    """Counts how often the record was reported under this ticket."""
    level: int = 0
    """The level of escalation that was reached, from 1."""
    refusal: Refusal | None = None
    correction: Correction | None = None
    """The version since which nothing disputed is said, while that holds."""
    receipts: tuple[Receipt, ...] = ()
    listed: bool = False
    """Whether the ledger was asked since the correction came."""
    told: tuple[Told, ...] = ()
    """What was told since the record was last found wrong."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything that was attached, in the order in which it came."""
        later = (each for event in self.events for each in event.evidence)
        return (*self.opening.evidence, *later)


TERMINAL: Final = frozenset({State.CLOSED, State.DISMISSED, State.WITHDRAWN})
"""States that nothing leads out of; what consumers are owed is told in them, too."""
MARKED: Final = frozenset({State.VERIFYING, State.ESCALATED, State.CORRECTING})
"""While the ticket is in one of them, the record carries its mark on the bus and is delivered as ever."""


def opened(opening: Opening) -> Ticket:
    """A new ticket."""
    return Ticket(opening, (), State.REPORTED, opening.reported)


def fold(opening: Opening, events: Iterable[Event]) -> Ticket:
    """The ticket that its events lead to."""
    return reduce(evolved, events, opened(opening))


def evolved(ticket: Ticket, event: Event) -> Ticket:
    """The ticket after one more event, which was checked before it was written.

    Raises:
        KeyError: the event cannot happen in the state that the ticket is in.
    """
    after = TRANSITIONS[ticket.state, event.action].after
    return _effects(replace(ticket, events=(*ticket.events, event), state=after), event)


def kind_of(ticket: Ticket) -> NoticeKind | None:
    """What those who received the wrong version are to be told now; None while nothing is said yet."""
    if ticket.state in MARKED:
        return NoticeKind.DISPUTED
    if ticket.correction is not None:
        return NoticeKind.CORRECTED
    return None if ticket.state in (State.REPORTED, State.RETURNED) else NoticeKind.UNFOUNDED


def _effects(ticket: Ticket, event: Event) -> Ticket:
    match event.action:
        case Action.REFUSE | Action.DISMISS:
            return replace(ticket, refusal=_refusal(event))
        case Action.ACCEPT | Action.UPHOLD:
            return replace(ticket, refusal=None, level=0)
        case Action.ESCALATE:
            return replace(ticket, level=ticket.level + 1)
        case Action.ARRIVE:
            return replace(ticket, correction=event.correction, listed=False)
        case Action.REVERT:
            return replace(ticket, correction=None, listed=False, told=())
        case Action.REOPEN:
            return _reopened(ticket, event)
        case Action.LIST:
            found = event.receipts or ()
            return replace(ticket, receipts=found, listed=ticket.correction is not None)
        case Action.TELL if event.told is not None:
            return replace(ticket, told=(*ticket.told, event.told))
        case _:
            return ticket


def _reopened(ticket: Ticket, event: Event) -> Ticket:
    return replace(
        ticket,
        reported=event.reported or ticket.reported,
        round=ticket.round + 1,
        level=0,
        refusal=None,
        correction=None,
        listed=False,
        told=(),
    )


def _refusal(event: Event) -> Refusal | None:
    if event.refusal_reason is None:
        return None
    return Refusal(event.refusal_reason, event.text, event.acceptable_if)
