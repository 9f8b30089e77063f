"""What departments are told of an entry: its steps in their transaction, and how far the time of each is."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from services.control.cases.words import State
from services.control.catalogue.lifecycle import Action
from services.control.clocks.calendar import Calendar
from services.control.clocks.running import standing
from services.control.demand.words import State as NeedState
from services.control.docket.review_clock import APPLY, REVIEW, begun_clock
from services.control.notices.digest import next_digest
from services.control.notices.event import Offices, Parties
from services.control.notices.of_clocks import Duty, of_duty, parties_of, reached_of
from services.control.notices.of_entries import kind_of, of_entry
from services.control.notices.words import Audience, Kind
from services.control.store.accounts.departments import ids_of
from services.control.store.cases.policies import Policies
from services.control.store.cases.tables import CASES
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.reviews import Waiting, under_review, under_revision
from services.control.store.clocks.calendars import read_calendar
from services.control.store.demand.tables import NEEDS
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices

_OVER: Final = (State.DRAFT, State.REFUSED_FINALLY, State.TERMINATED, State.EXPIRED, State.WITHDRAWN)
"""Cases that an entry does not concern any more, or not yet."""
_HAVING: Final = frozenset({Kind.ENTRY_CHANGED, Kind.ENTRY_WITHDRAWN})
"""What is told to those who have the data or have applied for it."""
_MOST: Final = 10_000
NewId = Callable[[], UUID]


def tell_step(connection: Connection, stored: Stored, action: Action, now: datetime) -> None:
    """Tell a step to who has to act next, who asked for it, and who has or wants the data."""
    found = [
        (number, each) for number, each in enumerate(stored.dossier.steps, start=1) if each.action is action
    ]
    kind = kind_of(action, found[-1][1].version) if found else None
    if kind is None:
        return
    number, step = found[-1]
    department = stored.dossier.department
    happened = of_entry(
        kind,
        str(stored.id),
        number,
        ids_of(connection, [department]).get(department),
        _concerned(connection, kind, stored, step.version),
        offices(connection),
        now,
    )
    tell(connection, happened, new_id(now), next_digest(now, read_calendar(connection)))


def tell_reviews(connection: Connection, calendar: Calendar, now: datetime, new_id: NewId) -> bool:
    """Tell how the time of each review and of each revision stands; returns whether any was news."""
    known, policies = offices(connection), Policies(connection)
    waiting = [(REVIEW, each) for each in under_review(connection, _MOST)]
    waiting += [(APPLY, each) for each in under_revision(connection, limit=_MOST)]
    providers = ids_of(connection, {each.provider_code for _, each in waiting})
    told = False
    for key, each in waiting:
        parties: Parties = {Audience.PROVIDER: _if_known(providers.get(each.provider_code))}
        told |= _tell_clock(connection, key, each, policies, parties, known, calendar, now, new_id)
    return told


def _tell_clock(
    connection: Connection,
    key: str,
    entry: Waiting,
    policies: Policies,
    parties: Parties,
    known: Offices,
    calendar: Calendar,
    now: datetime,
    new_id: NewId,
) -> bool:
    clock = begun_clock(policies.at(entry.since), key, entry.since)
    stands = None if clock is None else standing(clock.run, calendar, now)
    reached = None if stands is None else reached_of(stands, now)
    if clock is None or stands is None or stands.due is None or reached is None:
        return False
    overdue = stands.breached
    told = parties_of(clock.stage.obliged, parties, known, reached, overdue=overdue)
    duty = Duty(str(entry.id), key, stands.due.day, entry=True)
    happened = of_duty(duty, reached, told, now, overdue=overdue)
    return tell(connection, happened, new_id(), next_digest(now, calendar))


def _concerned(connection: Connection, kind: Kind, stored: Stored, version: int) -> tuple[str, ...]:
    """Departments with cases of the entry that are not over; of a new one those that stated a need for it."""
    if kind is Kind.ENTRY_PUBLISHED:
        needing = NEEDS.c.entry_id == stored.id, NEEDS.c.state == NeedState.DRAFTED.value
        wanted = select(NEEDS.c.department).where(*needing)
        return tuple(connection.execute(wanted.distinct().order_by(NEEDS.c.department)).scalars())
    code = stored.dossier.versions[version - 1].entry.code
    if kind not in _HAVING or code is None:
        return ()
    over = [state.value for state in _OVER]
    having = select(CASES.c.consumer).where(CASES.c.entry_code == str(code), CASES.c.state.not_in(over))
    return tuple(connection.execute(having.distinct().order_by(CASES.c.consumer)).scalars())


def _if_known(department: str | None) -> tuple[str, ...]:
    return () if department is None else (department,)
