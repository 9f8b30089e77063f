"""Writes needs: the events and what they come to, and what the ledger is owed, in one transaction."""

from typing import Any, Final

from sqlalchemy import Connection, update

from services.control.catalogue.text import comparable
from services.control.demand.need import Event, Need
from services.control.demand.words import Action
from services.control.store.demand.reading import Filed
from services.control.store.demand.tables import EVENTS, NEEDS
from services.control.store.outbox import Act, Fact, answering, append

KIND: Final = "need"
"""What an act calls a need."""


def add(connection: Connection, need: Need, recorder: str = "") -> Filed:
    """File a new need under the number by which people call it.

    Args:
        connection: inside the caller's transaction.
        need: what was stated.
        recorder: the account that enters it, where that is not the one that states it.
    """
    opening = need.opening
    row = {
        "id": opening.id,
        "department": opening.who.department,
        "person": opening.who.person,
        "stated_at": opening.when,
        "stated_subject": opening.subject,
        "items": list(opening.items),
        "scenario": opening.scenario,
        "basis_document": opening.basis_document,
        "basis_article": opening.basis_article,
        "stated_code": None if opening.code is None else str(opening.code),
        **_folded(need),
    }
    number = connection.execute(NEEDS.insert().values(row).returning(NEEDS.c.number)).scalar_one()
    who, told = answering(opening.who.person, recorder)
    facts: dict[str, Fact] = {"number": number, "department": opening.who.department, **told}
    append(connection, Act(who, "demand.state", KIND, str(opening.id), opening.when, facts=facts))
    return Filed(number, need)


def record(connection: Connection, before: Filed, after: Need, recorder: str = "") -> Filed:
    """Write what happened to a need, which the caller holds locked; see ``add`` for the recorder."""
    event = after.events[-1]
    connection.execute(EVENTS.insert(), [_event_row(after, event)])
    connection.execute(update(NEEDS).where(NEEDS.c.id == after.opening.id).values(_folded(after)))
    who, told = answering(event.who.person, recorder)
    facts: dict[str, Fact] = {
        "number": before.number,
        "before": before.need.state.value,
        "after": after.state.value,
        "role": event.who.role.value,
        "department": event.who.department,
        "assigned_to": after.assigned_to,
        **told,
    }
    id_, what = str(after.opening.id), f"demand.{event.action.value}"
    append(connection, Act(who, what, KIND, id_, event.when, event.given.text, facts))
    return Filed(before.number, after)


def _folded(need: Need) -> dict[str, Any]:
    declined = [event for event in need.events if event.action is Action.DECLINE]
    reason = declined[-1].given.reason if declined else None
    return {
        "version": len(need.events),
        "state": need.state.value,
        "subject": need.subject,
        "subject_key": comparable(need.subject),
        "assigned_to": need.assigned_to,
        "code": None if need.code is None else str(need.code),
        "entry_id": need.entry,
        "reason": None if reason is None else reason.value,
        "answer": declined[-1].given.text if declined else "",
        "moved_at": need.events[-1].when if need.events else need.opening.when,
    }


def _event_row(need: Need, event: Event) -> dict[str, Any]:
    given = event.given
    return {
        "need_id": need.opening.id,
        "number": event.number,
        "action": event.action.value,
        "at": event.when,
        "person": event.who.person,
        "role": event.who.role.value,
        "department": event.who.department,
        "text": given.text.strip(),
        "reason": None if given.reason is None else given.reason.value,
        "assigned_to": given.department,
        "subject": given.subject.strip(),
        "code": None if given.code is None else str(given.code),
        "entry_id": given.entry,
    }
