"""What departments are told of the time of objections: reminders, the last day, and that it is over."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.clocks.calendar import Calendar
from services.control.clocks.running import standing
from services.control.notices.digest import next_digest
from services.control.notices.event import Offices, Parties
from services.control.notices.of_clocks import Duty, of_duty, parties_of, reached_of
from services.control.notices.words import Audience
from services.control.objections.clock import KEY
from services.control.objections.words import State
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices
from services.control.store.objections.reading import Filed, Wish, listed

_MOST: Final = 10_000
NewId = Callable[[], UUID]


def tell_clocks(connection: Connection, calendar: Calendar, now: datetime, new_id: NewId) -> bool:
    """Tell how the time of each objection stands that is to be answered; returns whether any was news."""
    known = offices(connection)
    open_ = listed(connection, Wish(State.RECEIVED), limit=_MOST)
    told = [_tell_one(connection, each, known, calendar, now, new_id) for each in open_]
    return any(told)


def _tell_one(
    connection: Connection, filed: Filed, known: Offices, calendar: Calendar, now: datetime, new_id: NewId
) -> bool:
    stands = None if filed.clock is None else standing(filed.clock.run, calendar, now)
    reached = None if stands is None else reached_of(stands, now)
    if filed.clock is None or stands is None or stands.due is None or reached is None:
        return False
    opening = filed.objection.opening
    both: Parties = {
        Audience.CONSUMER: (opening.who.department,),
        Audience.PROVIDER: (opening.provider,),
    }
    overdue = stands.breached
    parties = parties_of(filed.clock.stage.obliged, both, known, reached, overdue=overdue)
    duty = Duty(str(filed.number), KEY, stands.due.day, objection=True)
    happened = of_duty(duty, reached, parties, now, overdue=overdue)
    return tell(connection, happened, new_id(), next_digest(now, calendar))
