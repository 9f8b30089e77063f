"""What of a problem ticket is told: each change of its state, and a wrong version to whoever has it."""

from collections.abc import Collection
from datetime import datetime

from services.control.notices.event import Facts, Happened, Parties
from services.control.notices.words import Audience, Kind, Slot


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


def of_wrong_version(
    ticket: str, received: Collection[tuple[str, str]], at: datetime
) -> tuple[Happened, ...]:
    """What each consumer is told that received the version which a ticket found wrong.

    Args:
        ticket: its id.
        received: consumer and grant.
        at: when it is told.
    """
    return tuple(
        Happened(
            f"ticket:{ticket}:wrong:{grant}",
            Kind.TICKET_WRONG_VERSION,
            at,
            {Audience.CONSUMER: (consumer,)},
            {Slot.TICKET: ticket, Slot.GRANT: grant},
        )
        for consumer, grant in sorted(set(received))
    )
