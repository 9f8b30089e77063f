"""Who may take an action on a ticket, and who may read what the parties wrote."""

from collections.abc import Iterable
from typing import Final

from services.control.cases.words import Actor, Problem, Role
from services.control.tickets.ticket import Ticket
from services.control.tickets.words import Action, Party

JUDGING: Final = frozenset(
    {Action.DISPATCH, Action.RETURN, Action.ACCEPT, Action.REFUSE, Action.UPHOLD, Action.DISMISS}
)
"""What nobody does on a ticket that he worked on as its reporter, in whatever role he comes now."""
_RULINGS: Final = frozenset({Action.UPHOLD, Action.DISMISS})
_ROLES: Final = {
    Party.REPORTER: Role.CONSUMER,
    Party.PROVIDER: Role.PROVIDER,
    Party.AUTHORITY: Role.AUTHORITY,
    Party.ARBITER: Role.AUTHORITY,
    Party.SYSTEM: Role.SYSTEM,
}


def party_problem(ticket: Ticket, action: Action, actor: Actor, parties: Iterable[Party]) -> Problem | None:
    """Why somebody may not take an action, or None if he may."""
    wanted = tuple(parties)
    if not any(is_party(ticket, actor, party) for party in wanted):
        return _stranger(ticket, action, actor, wanted)
    if action in JUDGING and actor.person in _people(ticket, Role.CONSUMER):
        what = f"{actor.person} worked on this ticket as its reporter"
        return Problem("OWN_WORK", "person", what, "let another person do it")
    if action in _RULINGS and actor.person in _people(ticket, Role.PROVIDER):
        what = f"{actor.person} decided on this ticket"
        return Problem("OWN_DECISION", "person", what, "let another person rule on it")
    return None


def is_party(ticket: Ticket, actor: Actor, party: Party) -> bool:
    """Whether somebody is that party of the ticket."""
    reports = actor.department == ticket.opening.reporter.department
    provides = actor.department == ticket.opening.provider
    match party:
        case Party.REPORTER:
            return actor.role is Role.CONSUMER and reports
        case Party.PROVIDER:
            return actor.role is Role.PROVIDER and provides
        case Party.AUTHORITY:
            return actor.role is Role.AUTHORITY and not reports
        case Party.ARBITER:
            rules = actor.department == arbiter_of(ticket) and not provides
            return is_party(ticket, actor, Party.AUTHORITY) and rules
        case Party.SYSTEM:
            return actor.role is Role.SYSTEM


def arbiter_of(ticket: Ticket) -> str | None:
    """The department that rules at the level that was reached."""
    levels = ticket.opening.rules.dispute_levels
    return levels[ticket.level - 1] if 0 < ticket.level <= len(levels) else None


def may_read(ticket: Ticket, actor: Actor) -> bool:
    """Whether somebody may read statement, texts and evidence: the parties and the control plane only.

    Auditors and overseers see that there is a ticket, its states and dates: what was said of a person is not
    theirs to read.
    """
    return any(
        is_party(ticket, actor, party)
        for party in (Party.REPORTER, Party.PROVIDER, Party.AUTHORITY, Party.SYSTEM)
    )


def _stranger(ticket: Ticket, action: Action, actor: Actor, wanted: tuple[Party, ...]) -> Problem:
    """The wrong role, or the right one in the wrong department."""
    who = ", ".join(party.value for party in wanted)
    if actor.role not in {_ROLES[party] for party in wanted}:
        what = f"{action.value} is not for the role {actor.role.value}"
        return Problem("WRONG_ROLE", "role", what, f"ask: {who}")
    if actor.department == ticket.opening.reporter.department and actor.role is not Role.CONSUMER:
        what = f"{actor.department} has reported this record"
        return Problem("OWN_TICKET", "department", what, f"ask somebody of another department: {who}")
    what = f"{action.value} is not for {actor.department}"
    return Problem("OTHER_DEPARTMENT", "department", what, f"ask: {who}")


def _people(ticket: Ticket, role: Role) -> frozenset[str]:
    """Who acted on the ticket in that role; who opened it counts."""
    found = {event.who.person for event in ticket.events if event.who.role is role}
    return frozenset(found | {ticket.opening.reporter.person} if role is Role.CONSUMER else found)
