"""Carries out orders on tickets: once each, on the version that was seen, whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.cases.words import Actor
from services.control.clocks.calendar import Calendar
from services.control.store.errors import ReadAgain, StoreError
from services.control.store.outbox import Act, append
from services.control.store.tickets.owed import OwedNotice
from services.control.store.tickets.reading import Filed, load
from services.control.store.tickets.tables import COMMANDS
from services.control.store.tickets.telling import tell_state
from services.control.store.tickets.writing import add, record
from services.control.tickets.life import Refused, apply, report
from services.control.tickets.recipients import Told
from services.control.tickets.ticket import Event, Given, Opening, Ticket
from services.control.tickets.words import Action
from services.control.tickets.written import event_document, opening_document
from topics.event import ConsumerId, GrantId

_KIND: Final = "ticket"
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


class TicketMissing(StoreError):  # noqa: N818 - the caller names another ticket
    """There is no ticket of that id."""


class OrderDiffers(StoreError):  # noqa: N818 - the caller takes another key
    """Another order was given under this key: nothing was done."""


@dataclass(frozen=True, slots=True)
class Desk:
    """By whom and when an order is carried out, and what that needs."""

    account: str
    """The id of the account that orders; the ledger names it."""
    now: datetime
    calendar: Calendar
    new_id: Callable[[], UUID]
    key: str | None = None
    """The key under which the order is carried out once, however often it is given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an order came to; the same for the same key."""

    id: str
    number: int
    state: str
    version: int
    again: bool = False
    """Whether it was carried out before."""


def take_report(connection: Connection, desk: Desk, opening: Opening) -> Answer | Refused:
    """File a report as a ticket.

    Raises:
        OrderDiffers: the key was used for another order.
    """
    # Id and time are made for each attempt, so they are no part of the order.
    content = {**opening_document(opening), "id": None, "when": None}
    known = _claim(connection, desk, {"report": content})
    if known is not None:
        return known
    ticket = report(opening)
    if isinstance(ticket, Refused):
        _release(connection, desk)
        return ticket
    number = add(connection, ticket, desk.calendar)
    _owe_act(connection, desk, "report", Filed(number, ticket), _for(desk, opening.reporter))
    tell_state(connection, ticket, desk.calendar, desk.now, desk.new_id)
    return _answered(connection, desk, Filed(number, ticket))


def act(
    connection: Connection,
    desk: Desk,
    ticket: UUID,
    seen: int | None,
    action: Action,
    actor: Actor,
    given: Given,
) -> Answer | Refused:
    """Take an action on a ticket.

    Args:
        connection: inside the caller's transaction.
        desk: by whom, when, under which key.
        ticket: its id.
        seen: the version on which the action was decided; None only for the control plane itself.
        action: what is to be done.
        actor: in which role and for which department.
        given: what comes with it.

    Raises:
        TicketMissing: there is none of that id.
        ReadAgain: the ticket has moved since it was seen.
        OrderDiffers: the key was used for another order.
        DistrustTicket: the stored ticket is not what its events come to.
    """
    order = _order(ticket, action, actor, given)
    known = _claim(connection, desk, order)
    if known is not None:
        return known
    before = load(connection, ticket, lock=True)
    if before is None:
        raise TicketMissing(f"there is no ticket {ticket}")
    if seen is not None and seen != before.version:
        raise ReadAgain(f"ticket {before.number} is at version {before.version} now, and was seen at {seen}")
    after = apply(before.ticket, action, actor, desk.now, given, desk.calendar)
    if isinstance(after, Refused):
        _release(connection, desk)
        return after
    record(connection, before, after, desk.account, desk.calendar, desk.new_id)
    filed = Filed(before.number, after)
    _owe_act(connection, desk, action.value, filed, _facts(after) | _for(desk, actor))
    if after.state is not before.ticket.state or action is Action.ESCALATE:
        tell_state(connection, after, desk.calendar, desk.now, desk.new_id)
    return _answered(connection, desk, filed)


def confirm_told(connection: Connection, desk: Desk, notice: OwedNotice, actor: Actor) -> Answer | Refused:
    """Note on the ticket that a consumer was told; the notice is done by it.

    Raises:
        TicketMissing, DistrustTicket: as ``act`` says.
    """
    told = Told(ConsumerId(notice.consumer), GrantId(notice.grant), notice.kind, str(notice.id))
    return act(connection, desk, notice.ticket, None, Action.TELL, actor, Given(told=told))


# --- the order's key ---------------------------------------------------------------------


def _claim(connection: Connection, desk: Desk, order: Mapping[str, Any]) -> Answer | None:
    """Take the key; the answer of before if the order was carried out. A second one waits for the first."""
    if desk.key is None:
        return None
    text = json.dumps({**order, "account": desk.account}, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = {"key": desk.key, "digest": digest, "recorded_at": desk.now}
    taken = insert(COMMANDS).values(row).on_conflict_do_nothing().returning(COMMANDS.c.key)
    if connection.execute(taken).one_or_none() is not None:
        return None
    known = connection.execute(select(COMMANDS).where(COMMANDS.c.key == desk.key)).one()
    if known.digest != digest:
        raise OrderDiffers(f"key {desk.key} belongs to another order; give this one a key of its own")
    return Answer(**{**known.answer, "again": True})


def _release(connection: Connection, desk: Desk) -> None:
    """An order that was refused may be given again under its key, corrected."""
    if desk.key is not None:
        connection.execute(delete(COMMANDS).where(COMMANDS.c.key == desk.key))


def _answered(connection: Connection, desk: Desk, filed: Filed) -> Answer:
    ticket = filed.ticket
    answer = Answer(ticket.opening.id, filed.number, ticket.state.value, filed.version)
    if desk.key is not None:
        values = {name: getattr(answer, name) for name in ("id", "number", "state", "version")}
        connection.execute(update(COMMANDS).where(COMMANDS.c.key == desk.key).values(answer=values))
    return answer


def _order(ticket: UUID, action: Action, actor: Actor, given: Given) -> dict[str, Any]:
    """All that an order says, as plain JSON: an event that never happened holds it.

    The version that was seen is no part of it: who repeats an order may have looked again meanwhile.
    """
    said = Event(
        number=0,
        action=action,
        who=actor,
        when=_NO_TIME,
        text=given.text,
        refusal_reason=given.refusal_reason,
        acceptable_if=given.acceptable_if,
        evidence=given.evidence,
        reported=given.reported,
        correction=given.correction,
        receipts=given.receipts,
        told=given.told,
    )
    return {"ticket": str(ticket), "said": event_document(said)}


# --- the ledger ---------------------------------------------------------------------


def _owe_act(
    connection: Connection, desk: Desk, what: str, filed: Filed, facts: Mapping[str, str | int | None]
) -> None:
    """The ledger learns who did what to which ticket; never what was written about the record."""
    said = {"state": filed.ticket.state.value, "version": filed.version, **facts}
    append(
        connection,
        Act(desk.account, f"ticket.{what}", _KIND, filed.ticket.opening.id, desk.now, facts=said),
    )


def _for(desk: Desk, actor: Actor) -> dict[str, str | int | None]:
    """For whom the ledger's account did it, where another one enters it."""
    return {} if desk.account == actor.person else {"for": actor.person}


def _facts(ticket: Ticket) -> dict[str, str | int | None]:
    event = ticket.events[-1]
    reason = event.refusal_reason
    found: dict[str, str | int | None] = {
        "department": event.who.department or None,
        "reason": None if reason is None else reason.value,
        "at": None if event.correction is None else event.correction.at,
        "told": None if event.told is None else event.told.grant,
        "receipts": None if event.receipts is None else len(event.receipts),
    }
    return {name: value for name, value in found.items() if value is not None}
