"""Which disputes are opened and closed on the bus as a ticket moves."""

from services.control.tickets.ticket import MARKED, Ticket
from topics.disputes import Act, Contested


def dispute_id(ticket: Ticket) -> str:
    """The dispute of the ticket's round: a record that is reported again is disputed anew."""
    return f"{ticket.opening.id}.{ticket.round}"


def marks_owed(before: Ticket | None, after: Ticket) -> tuple[tuple[Act, str, Contested | None], ...]:
    """The changes of the disputes that a step of a ticket leads to, in order.

    A mark is only on records that still say what is disputed, so closing it late marks nothing wrongly.
    """
    was = before is not None and before.state in MARKED
    stays = after.state in MARKED
    found: list[tuple[Act, str, Contested | None]] = []
    if before is not None and was and not (stays and dispute_id(before) == dispute_id(after)):
        found.append((Act.CLOSE, dispute_id(before), None))
    if stays and not (before is not None and was and dispute_id(before) == dispute_id(after)):
        found.append((Act.OPEN, dispute_id(after), after.reported.contested))
    return tuple(found)
