"""Does again and again what time makes due of cases, tickets, objections, reports and catalogue entries."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.control.clocks.calendar import Calendar, civil_day
from services.control.desk.desk import Desk
from services.control.desk.sweep import Swept, sweep
from services.control.store.catalogue.telling import tell_reviews
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase, Task
from services.control.store.errors import StoreError
from services.control.store.objections.telling import tell_clocks
from services.control.store.reports.telling import tell_reports
from services.control.store.tickets.reading import DistrustTicket, load, versions
from services.control.store.tickets.telling import tell_clock
from services.control.tickets.words import State
from services.control.tickets.written import UnknownForm

_LOG: Final = logging.getLogger(__name__)
_CLOCKED: Final = (State.REPORTED, State.RETURNED, State.VERIFYING, State.CORRECTING)
"""States in which a duty of a ticket has a clock."""


class MendObjects(StoreError):  # noqa: N818 - named after what its reader must do
    """Everything else was done, but some cases or tickets could not be worked on."""


@dataclass(slots=True)
class CasesTurn:
    """Takes turns; of several processes one sweeps at a time."""

    database: ControlDatabase
    desk: Desk
    now: Callable[[], datetime]
    _looked: dict[UUID, tuple[int, date]] = field(default_factory=dict, init=False)
    """Ticket → the version and the day at which its clock was looked at: in between nothing falls due."""
    _told_on: date | None = field(default=None, init=False)
    """The day on which the clocks of objections, reports and entries were looked at."""

    def turn(self) -> bool:
        """Sweep cases, tell of the clocks of all else; returns whether anything was due.

        Raises:
            MendObjects: some could not be worked on; all others were. The loop stands as failing until then.
        """
        with self.database.alone(Task.CASES) as ours:
            if not ours:
                return False
            swept = sweep(self.desk, self.database, self.now())
            failed = {f"case {case}": why for case, why in swept.failed.items()}
            told = self._tickets(failed)
            told |= self._daily()
        _report(failed)
        return _did(swept) or told

    def _daily(self) -> bool:
        """Objections, reports and entries, told once a day: reminders come on days.

        What an extension moves waits for the next one.
        """
        now = self.now()
        if self._told_on == civil_day(now):
            return False
        with self.database.begin() as connection:
            calendar = read_calendar(connection)
            told = tell_clocks(connection, calendar, now, lambda: self.desk.ids(now))
            told |= tell_reports(connection, calendar, now, lambda: self.desk.ids(now))
            told |= tell_reviews(connection, calendar, now, lambda: self.desk.ids(now))
        self._told_on = civil_day(now)
        return told

    def _tickets(self, failed: dict[str, str]) -> bool:
        """Tell of each ticket that was not looked at in this state today; one holds up no other."""
        now, told = self.now(), False
        with self.database.begin() as connection:
            open_ = versions(connection, _CLOCKED)
            calendar = read_calendar(connection)
        for ticket, version in open_.items():
            if self._looked.get(ticket) == (version, civil_day(now)):
                continue
            try:
                told |= self._tell(ticket, calendar, now)
            except (DistrustTicket, UnknownForm) as error:
                failed[f"ticket {ticket}"] = str(error)
            else:
                self._looked[ticket] = (version, civil_day(now))
        self._looked = {ticket: seen for ticket, seen in self._looked.items() if ticket in open_}
        return told

    def _tell(self, ticket: UUID, calendar: Calendar, now: datetime) -> bool:
        with self.database.begin() as connection:
            filed = load(connection, ticket, lock=True)
            if filed is None:
                return False
            return tell_clock(connection, filed.ticket, calendar, now, lambda: self.desk.ids(self.now()))


def _report(failed: Mapping[str, str]) -> None:
    """Each stands in the log, and the first in what the loop says of itself."""
    for what, why in failed.items():
        _LOG.warning("%s is left out: %s", what, why)
    if failed:
        what, why = next(iter(failed.items()))
        raise MendObjects(f"{len(failed)} left out, all others were done; first {what}: {why}")


def _did(swept: Swept) -> bool:
    """Whether a sweep changed anything; what rules were against stays as it is and is no work."""
    return bool(swept.recounted or swept.expired or swept.breached or swept.missed_targets or swept.reminded)
