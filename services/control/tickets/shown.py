"""A ticket as it is shown: who may look sees all of it but what only the parties may read."""

from datetime import datetime
from typing import Any, Final

from services.control.cases.words import Actor
from services.control.clocks.calendar import Calendar
from services.control.tickets.clocks import Clock, clocks_of, stands
from services.control.tickets.life import allowed
from services.control.tickets.parties import may_read
from services.control.tickets.recipients import last_told
from services.control.tickets.ticket import MARKED, Event, Ticket
from services.control.tickets.words import NoticeKind
from services.control.tickets.written import receipt_document, told_document

Shown = dict[str, Any]
HIDDEN: Final = "***"
"""In place of what only the parties may read."""


def shown(ticket: Ticket, actor: Actor, calendar: Calendar, now: datetime) -> Shown:
    """One ticket for one person, at one moment."""
    reads, disputed = may_read(ticket, actor), ticket.reported.contested
    return {
        "id": ticket.opening.id,
        "state": ticket.state.value,
        "version": len(ticket.events),
        "round": ticket.round,
        "level": ticket.level,
        "marked": ticket.state in MARKED,
        "reporter": ticket.opening.reporter.department,
        "provider": ticket.opening.provider,
        "resource": disputed.resource,
        "record": disputed.record,
        "at": ticket.reported.at,
        "items": [item for item, _ in disputed.values],
        "opened": ticket.opening.when.isoformat(),
        "statement": _text(ticket.opening.statement, reads),
        "evidence": _evidence(ticket, reads),
        "clocks": [_clock(each, calendar, now) for each in clocks_of(ticket)],
        "correction": None if ticket.correction is None else ticket.correction.at,
        "recipients": _recipients(ticket),
        "events": [_event(each, reads) for each in ticket.events],
        "allowed": [action.value for action in allowed(ticket, actor)],
    }


def _text(text: str, reads: bool) -> str | None:
    return (text if reads else HIDDEN) if text else None


def _evidence(ticket: Ticket, reads: bool) -> list[Shown]:
    every = ticket.evidence
    return [
        {"sha256": each.sha256 if reads else HIDDEN, "size": each.size, "title": _text(each.title, reads)}
        for each in every
    ]


def _clock(clock: Clock, calendar: Calendar, now: datetime) -> Shown:
    standing = stands(clock, calendar, now)
    return {
        "duty": clock.duty.value,
        "state": standing.state.value,
        "started": clock.run.started.isoformat(),
        "due": None if standing.due is None else standing.due.day.isoformat(),
        "provisional": standing.due is not None and standing.due.provisional,
        "remaining": standing.remaining,
        "met": None if clock.run.met is None else clock.run.met.isoformat(),
        "ended": None if clock.ended is None else clock.ended.isoformat(),
        "breached": standing.breached,
    }


def _recipients(ticket: Ticket) -> list[Shown]:
    """The proof: what the ledger names, and what each was told last."""
    told = last_told(ticket.told)
    return [
        {**receipt_document(each), "told": _kind(told.get((each.consumer, each.grant)))}
        for each in ticket.receipts
    ]


def _kind(kind: NoticeKind | None) -> str | None:
    return None if kind is None else kind.value


def _event(event: Event, reads: bool) -> Shown:
    reason = event.refusal_reason
    return {
        "number": event.number,
        "action": event.action.value,
        "role": event.who.role.value,
        "department": event.who.department,
        "person": _text(event.who.person, reads),
        "when": event.when.isoformat(),
        "text": _text(event.text, reads),
        "refusal_reason": None if reason is None else reason.value,
        "acceptable_if": _text(event.acceptable_if, reads),
        "at": None if event.correction is None else event.correction.at,
        "told": None if event.told is None else told_document(event.told),
    }
