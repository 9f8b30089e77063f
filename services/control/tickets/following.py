"""What the control plane does with a ticket by itself, told from the record's versions and the ledger."""

from collections.abc import Iterable, Sequence
from typing import Final

from services.control.tickets.correction import (
    SETTLED,
    Correction,
    Version,
    judged,
    settled_since,
    wrong_versions,
)
from services.control.tickets.recipients import Receipt
from services.control.tickets.ticket import Given, Ticket
from services.control.tickets.words import Action, Route, State

WAITING: Final = (State.VERIFYING, State.REFUSED, State.ESCALATED, State.CORRECTING)
"""States in which a correction is waited for."""
WATCHED: Final = (*WAITING, State.CORRECTED, State.CONFIRMED)
"""States in which the record is watched: also afterwards, since an error may come back."""


def forwards(ticket: Ticket) -> bool:
    """Whether a report goes to the provider by itself."""
    return ticket.state is State.REPORTED and ticket.opening.rules.route is not Route.AUTHORITY


def step_of(ticket: Ticket, versions: Iterable[Version], key: bytes) -> tuple[Action, Given] | None:
    """The step that the versions of the record lead to; None where there is none.

    Args:
        ticket: one that is in a state of ``WATCHED``.
        versions: the versions of its record, in any order.
        key: the key of disputes of the ticket's key version.
    """
    later = [each for each in versions if each.position > ticket.reported.position]
    if ticket.state in WAITING:
        found = settled_since(ticket.reported.contested, later, key)
        return None if found is None else (Action.ARRIVE, Given(correction=found))
    back = _came_back(ticket, later, key)
    return None if back is None else (Action.REVERT, Given(correction=back))


def wrong_of(ticket: Ticket, versions: Iterable[Version], key: bytes) -> tuple[str, ...]:
    """Coordinates of the versions that say something of what is disputed, the reported one always."""
    found = wrong_versions(ticket.reported.contested, versions, key)
    return tuple(dict.fromkeys([ticket.reported.at, *(each.at for each in found)]))


def list_of(ticket: Ticket, receipts: Iterable[Receipt]) -> Given | None:
    """What is to be noted of who received the wrong version; None where the ticket has it already.

    What was proven once stays proven, though the record has been compacted since.
    """
    known = {each.delivery for each in ticket.receipts}
    found = (*ticket.receipts, *(each for each in receipts if each.delivery not in known))
    asked = ticket.listed or ticket.correction is None
    return None if found == ticket.receipts and asked else Given(receipts=found)


def _came_back(ticket: Ticket, later: Sequence[Version], key: bytes) -> Correction | None:
    if ticket.state not in WATCHED or ticket.correction is None or not later:
        return None
    newest = max(later, key=lambda each: each.position)
    found = judged(ticket.reported.contested, newest, key)
    newer = found.position > ticket.correction.position
    return found if newer and found.verdict not in SETTLED else None
