"""Does again and again what time makes due of cases, tickets and objections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.control.clocks.calendar import civil_day
from services.control.desk.desk import Desk
from services.control.desk.sweep import Swept, sweep
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase, Task
from services.control.store.objections.telling import tell_clocks
from services.control.store.tickets.reading import load, versions
from services.control.store.tickets.telling import tell_clock
from services.control.tickets.words import State

_CLOCKED: Final = (State.REPORTED, State.RETURNED, State.VERIFYING, State.CORRECTING)
"""States in which a duty of a ticket has a clock."""


@dataclass(slots=True)
class CasesTurn:
    """Takes turns; of several processes one sweeps at a time."""

    database: ControlDatabase
    desk: Desk
    now: Callable[[], datetime]
    _looked: dict[UUID, tuple[int, date]] = field(default_factory=dict, init=False)
    """Ticket → the version and the day at which its clock was looked at: in between nothing falls due."""
    _told_on: date | None = field(default=None, init=False)
    """The day on which the clocks of objections were looked at."""

    def turn(self) -> bool:
        """Sweep cases, tell of the clocks of tickets and objections; returns whether anything was due."""
        with self.database.alone(Task.CASES) as ours:
            if not ours:
                return False
            swept = sweep(self.desk, self.database, self.now())
            told = self._tickets()
            told |= self._objections()
        return _did(swept) or told

    def _objections(self) -> bool:
        """Told once a day: reminders come on days, and what an extension moves waits for the next one."""
        now = self.now()
        if self._told_on == civil_day(now):
            return False
        with self.database.begin() as connection:
            told = tell_clocks(connection, read_calendar(connection), now, lambda: self.desk.ids(now))
        self._told_on = civil_day(now)
        return told

    def _tickets(self) -> bool:
        now = self.now()
        today, told = civil_day(now), False
        with self.database.begin() as connection:
            open_ = versions(connection, _CLOCKED)
            calendar = read_calendar(connection)
        for ticket, version in open_.items():
            if self._looked.get(ticket) == (version, today):
                continue
            with self.database.begin() as connection:
                filed = load(connection, ticket, lock=True)
                if filed is not None:
                    told |= tell_clock(
                        connection, filed.ticket, calendar, now, lambda: self.desk.ids(self.now())
                    )
            self._looked[ticket] = (version, today)
        self._looked = {ticket: seen for ticket, seen in self._looked.items() if ticket in open_}
        return told


def _did(swept: Swept) -> bool:
    """Whether a sweep changed anything; what rules were against stays as it is and is no work."""
    return bool(swept.recounted or swept.expired or swept.breached or swept.missed_targets or swept.reminded)
