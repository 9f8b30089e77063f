"""What departments are told of a case, in the transaction in which it happens."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Case
from services.control.clocks.calendar import Calendar
from services.control.docket.case_clocks import DueLine
from services.control.docket.filed import Filed
from services.control.notices.digest import next_digest
from services.control.notices.event import Parties
from services.control.notices.of_cases import of_case
from services.control.notices.of_clocks import Duty, of_duty, parties_of
from services.control.notices.words import Audience
from services.control.store.notices.happenings import tell, tell_all
from services.control.store.notices.offices import offices

NewId = Callable[[datetime], UUID]


def tell_moves(
    connection: Connection, moves: Iterable[tuple[Case, Case]], calendar: Calendar, new_id: NewId
) -> None:
    """Tell each step of a case to whom it concerns; steps that change nothing for anybody tell nothing.

    Args:
        connection: in the transaction of the steps.
        moves: the case before and after each of them.
        calendar: by which the next digest is found.
        new_id: makes ids of what happened.
    """
    known = offices(connection)
    told = [happened for before, after in moves if (happened := of_case(before.state, after, known))]
    if told:
        digest_at = next_digest(told[-1].at, calendar)
        tell_all(connection, ((new_id(each.at), each) for each in told), digest_at)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the time of a duty is."""

    percent: int
    overdue: bool
    now: datetime


def tell_duty(
    connection: Connection, filed: Filed, line: DueLine, reached: Reached, calendar: Calendar, new_id: NewId
) -> None:
    """Tell how a duty of a case stands, in the transaction that notes that it was told."""
    if line.due_on is None:
        return
    parties = parties_of(
        line.obliged,
        _parties(filed.case),
        offices(connection),
        reached.percent,
        overdue=reached.overdue,
    )
    duty = Duty(filed.case.opening.id, line.key, line.due_on)
    happened = of_duty(duty, reached.percent, parties, reached.now, overdue=reached.overdue)
    tell(connection, happened, new_id(reached.now), next_digest(reached.now, calendar))


def _parties(case: Case) -> Parties:
    return {
        Audience.CONSUMER: (str(case.opening.applicant),),
        Audience.PROVIDER: (str(case.opening.provider),),
    }
