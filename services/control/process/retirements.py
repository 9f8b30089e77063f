"""Does what is due of resources that end: reminds, moves a day that the calendar moved, ends cases."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Given
from services.control.cases.words import Action, StopReason
from services.control.clocks.calendar import civil_day
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM
from services.control.desk.orders import Declined, Done, Order
from services.control.desk.retiring import Retiring
from services.control.docket.written import UnknownForm
from services.control.notices import versions
from services.control.retirements.plan import By, Retirement, later_by_calendar
from services.control.retirements.words import State
from services.control.store.cases.reading import DistrustCase
from services.control.store.database import ControlDatabase, Task
from services.control.store.retirements import writing
from services.control.store.retirements.reading import by_id, holders, left_over, of_withdrawn, planned

_LOG: Final = logging.getLogger(__name__)
_MANY: Final = 200
_MOVED: Final = "CALENDAR_CHANGED"
"""Why the system postpones: the year's notice on holidays left fewer working days than were counted."""


@dataclass(frozen=True, slots=True)
class RetirementsTurn:
    """Takes turns; of several processes one is at it. It may die anywhere, and the next turn goes on.

    Each plan and each case is a transaction of its own. A version is retired only once no case of it is left;
    a case that comes back later, from an import or an approval at the same moment, is ended all the same.
    """

    database: ControlDatabase
    desk: Desk
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Do everything that is due; returns whether anything was."""
        with self.database.alone(Task.RETIREMENTS) as ours:
            if not ours:
                return False
            now = self.now()
            with self.database.begin() as connection:
                plans = planned(connection)
            did = [self._look(plan.id, now) for plan in plans]
            ended = self._end_cases(now)
            closed = [self._close(plan.id, now) for plan in plans]
            return any(did) or ended or any(closed)

    @property
    def _retiring(self) -> Retiring:
        return Retiring(self.desk.entries, self.desk.calendars, self.desk.ids)

    def _look(self, id_: UUID, now: datetime) -> bool:
        """Move one plan if the calendar wants it, and tell what is to be told of it today."""
        with self.database.begin() as connection:
            plan = by_id(connection, id_, lock=True)
            if plan is None or plan.state is not State.PLANNED:
                return False
            later = later_by_calendar(plan, self.desk.calendars.current(connection))
            if later is not None:
                self._retiring.move(connection, plan, later, _MOVED, _system(now))
                return True
            told = self._retiring.tell(connection, plan, versions.announced, now)
            say = versions.retired if _is_due(plan, civil_day(now)) else versions.nearing
            return told + self._retiring.tell(connection, plan, say, now) > 0

    def _end_cases(self, now: datetime) -> bool:
        ended = [self._end(case, text, now) for case, text in self._left(civil_day(now))]
        return any(ended)

    def _end(self, case: UUID, text: str, now: datetime) -> bool:
        """End one case; one that is distrusted holds up no other, and keeps its version from being over."""
        given = Given(text=text, stop_reason=StopReason.RESOURCE_ENDED)
        try:
            with self.database.begin() as connection:
                order = Order(key="", actor=SYSTEM, now=now)
                answer = self.desk.carry_out(connection, order, case, Action.TERMINATE, given)
        except (DistrustCase, UnknownForm) as error:
            _LOG.warning("case %s of a resource that is over cannot be ended: %s", case, error)
            return False
        if isinstance(answer, Declined):
            codes = ", ".join(problem.code for problem in answer.problems)
            _LOG.warning("case %d of a resource that is over is not ended: %s", answer.number, codes)
        return isinstance(answer, Done)

    def _left(self, today: date) -> Iterator[tuple[UUID, str]]:
        """Cases whose resource is over: the day of the version has come, or the entry was withdrawn."""
        yield from self._paged(lambda connection, after: left_over(connection, today, after, _MANY))
        yield from self._paged(lambda connection, after: of_withdrawn(connection, after, _MANY))

    def _paged(
        self, read: Callable[[Connection, UUID | None], list[tuple[UUID, str]]]
    ) -> Iterator[tuple[UUID, str]]:
        """Page by page; a case that stays in spite of all is met once."""
        after: UUID | None = None
        while True:
            with self.database.begin() as connection:
                found = read(connection, after)
            if not found:
                return
            yield from found
            after = found[-1][0]

    def _close(self, id_: UUID, now: datetime) -> bool:
        """Note that a version is over, once its day has come and no case of it is left."""
        with self.database.begin() as connection:
            plan = by_id(connection, id_, lock=True)
            if plan is None or plan.state is not State.PLANNED or not _is_due(plan, civil_day(now)):
                return False
            if holders(connection, plan.old):
                return False
            after = writing.ended(plan, State.RETIRED, plan.why, SYSTEM.person)
            writing.change(connection, after, writing.RETIRED, _system(now))
            return True


def _is_due(plan: Retirement, today: date) -> bool:
    return today >= plan.retires_on


def _system(now: datetime) -> By:
    return By(SYSTEM.person, SYSTEM.role.value, SYSTEM.department, now)
