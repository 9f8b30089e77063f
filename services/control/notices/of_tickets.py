"""What of a problem ticket is told: each change of its state, and what concerns whoever received the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.notices.event import Facts, Happened, Parties
from services.control.notices.words import Audience, Kind, Slot
from services.control.tickets.words import NoticeKind

_OWED: Final[Mapping[NoticeKind, Kind]] = {
    NoticeKind.DISPUTED: Kind.TICKET_WRONG_VERSION,
    NoticeKind.CORRECTED: Kind.TICKET_CORRECTED,
    NoticeKind.UNFOUNDED: Kind.TICKET_DISMISSED,
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """A consumer that received the record, under which grant, and when it is told."""

    consumer: str
    grant: str
    at: datetime


def of_ticket(
    ticket: str, resource: str, number: int, state: str, at: datetime, parties: Parties
) -> Happened | None:
    """What is told when a ticket has come to a state.

    Args:
        ticket: its id.
        resource: the id of the resource that the reported record is of.
        number: of the event that led there, from 1.
        state: the state's word; of one that no notice is about, nobody is told.
        at: when it happened.
        parties: reporter (as consumer), provider, authority.
    """
    try:
        kind = Kind(f"ticket.{state}")
    except ValueError:
        return None
    facts: Facts = {Slot.TICKET: ticket, Slot.RESOURCE: resource}
    return Happened(f"ticket:{ticket}:{number}", kind, at, parties, facts)


def of_receipt(ticket: str, resource: str, notice: str, kind: NoticeKind, to: Recipient) -> Happened:
    """What a consumer is told that received the record which a ticket is about.

    Args:
        ticket: the ticket's id.
        resource: the id of the resource that the record is of.
        notice: the id under which it is owed: each is told once.
        kind: what the consumer is told.
        to: who, under which grant, and when.
    """
    facts: Facts = {Slot.TICKET: ticket, Slot.RESOURCE: resource, Slot.GRANT: to.grant}
    parties: Parties = {Audience.CONSUMER: (to.consumer,)}
    return Happened(f"ticket:{ticket}:owed:{notice}", _OWED[kind], to.at, parties, facts)
