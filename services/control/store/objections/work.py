"""Works on objections: what happens, what the ledger is owed and who is told, in one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, update

from services.control.cases.words import Actor
from services.control.clocks.calendar import Calendar
from services.control.notices.digest import next_digest
from services.control.notices.of_objections import of_objection
from services.control.objections.life import Refused, apply, object_to
from services.control.objections.objection import Given, Objection, Opening
from services.control.objections.words import Action
from services.control.store.errors import ReadAgain
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices
from services.control.store.objections.reading import Filed, load
from services.control.store.objections.tables import EVENTS, OBJECTIONS
from services.control.store.outbox import Act, Fact, answering, append

KIND: Final = "objection"
"""What an act calls an objection."""
NewId = Callable[[], UUID]


def receive(
    connection: Connection,
    opening: Opening,
    calendar: Calendar,
    new_id: NewId,
    *,
    published: bool,
    recorder: str = "",
) -> Filed | Refused:
    """Take an objection to how an entry is opened; its time begins now.

    ``recorder`` is who enters it for its maker, such as a login at a shell.
    """
    objection = object_to(opening, published=published)
    if isinstance(objection, Refused):
        return objection
    row = {
        "id": opening.id,
        "entry_id": opening.entry,
        "name": opening.name,
        "provider": opening.provider,
        "department": opening.who.department,
        "person": opening.who.person,
        "role": opening.who.role.value,
        "received_at": opening.when,
        "text": opening.text.strip(),
        "reference": opening.reference.strip(),
        **_folded(objection),
    }
    inserted = OBJECTIONS.insert().values(row).returning(OBJECTIONS.c.number)
    number = connection.execute(inserted).scalar_one()
    return _done(connection, number, objection, opening.who, calendar, new_id, recorder)


def act(
    connection: Connection,
    filed: Filed,
    seen: int,
    action: Action,
    who: Actor,
    now: datetime,
    given: Given,
    calendar: Calendar,
    new_id: NewId,
    recorder: str = "",
) -> Filed | Refused:
    """Take an action on an objection that the caller holds locked.

    Raises:
        ReadAgain: it has moved on since the version that was seen.
    """
    if filed.version != seen:
        raise ReadAgain(f"objection {filed.number} is at version {filed.version}, and {seen} was seen")
    after = apply(filed.objection, action, who, now, given, filed.clock, calendar)
    if isinstance(after, Refused):
        return after
    connection.execute(EVENTS.insert(), [_event_row(after)])
    wanted = update(OBJECTIONS).where(OBJECTIONS.c.id == after.opening.id)
    connection.execute(wanted.values(_folded(after)))
    return _done(connection, filed.number, after, who, calendar, new_id, recorder)


def _done(
    connection: Connection,
    number: int,
    objection: Objection,
    who: Actor,
    calendar: Calendar,
    new_id: NewId,
    recorder: str,
) -> Filed:
    """What is owed to the ledger and to departments; the objection as it is read from now on."""
    opening, event = objection.opening, objection.events[-1] if objection.events else None
    what = "object" if event is None else event.action.value
    facts: dict[str, Fact] = {
        "number": number,
        "entry": str(opening.entry),
        "after": objection.state.value,
        "role": who.role.value,
        "department": who.department,
    }
    at = opening.when if event is None else event.when
    account, told = answering(who.person, recorder)
    append(connection, Act(account, f"objection.{what}", KIND, str(opening.id), at, facts=facts | told))
    filed = load(connection, number)
    if filed is None:
        raise LookupError(f"objection {number} was written a moment ago")
    happened = of_objection(number, objection, filed.due(calendar), offices(connection))
    tell(connection, happened, new_id(), next_digest(at, calendar))
    return filed


def _folded(objection: Objection) -> dict[str, Any]:
    events = objection.events
    return {
        "version": len(events),
        "state": objection.state.value,
        "moved_at": events[-1].when if events else objection.opening.when,
    }


def _event_row(objection: Objection) -> dict[str, Any]:
    event = objection.events[-1]
    given = event.given
    return {
        "objection_id": objection.opening.id,
        "number": event.number,
        "action": event.action.value,
        "at": event.when,
        "person": event.who.person,
        "role": event.who.role.value,
        "department": event.who.department,
        "text": given.text.strip(),
        "basis": given.basis.strip(),
        "days": given.days,
        "approver": given.approver,
    }
