"""Does what time has made due: expires, reports breaches and escalates them, reminds, and counts days anew.

Each case is a transaction of its own, and under its lock everything is asked again: a sweep may end anywhere,
run twice or beside another one, and nothing is told or done twice. A case that cannot be worked on, because
it is distrusted or for any other fault of its own, is reported and holds up no other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Given
from services.control.cases.words import Action, State
from services.control.clocks.calendar import civil_day
from services.control.clocks.merge import because
from services.control.desk.acts import clock_act, recount_act
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM
from services.control.desk.orders import Declined, Done, Order
from services.control.desk.telling import Reached, tell_duty
from services.control.docket.bound import REPLY
from services.control.docket.case_clocks import DueLine, due_lines
from services.control.docket.filed import Filed
from services.control.docket.written import UnknownForm
from services.control.store.cases import waiting
from services.control.store.cases.reading import DistrustCase, load
from services.control.store.cases.writing import write_due
from services.control.store.database import ControlDatabase
from services.control.store.errors import StoreError
from services.control.store.outbox import append, append_all

_MANY: Final = 200
_ESCALATE: Final = "escalate"
_WHOLE: Final = 100


@dataclass(slots=True)
class Swept:
    """What a sweep did; ``declined`` are cases in which rules were against it, by number.

    ``failed`` are cases that could not be worked on, by id, each with why: they are as they were.
    """

    recounted: int = 0
    expired: int = 0
    breached: int = 0
    missed_targets: int = 0
    escalated: int = 0
    reminded: int = 0
    declined: dict[int, str] = field(default_factory=dict)
    failed: dict[UUID, str] = field(default_factory=dict)


def sweep(desk: Desk, database: ControlDatabase, now: datetime) -> Swept:
    """Do everything that is due at a moment.

    Args:
        desk: acts on the cases.
        database: each case is a transaction of its own.
        now: the time, with its zone; a day is one in Beijing.
    """
    swept, today = Swept(), civil_day(now)
    _recount(desk, database, now, swept)
    _expire(desk, database, now, today, swept)
    _tell_breaches(desk, database, now, today, swept)
    _remind(desk, database, now, today, swept)
    return swept


def _recount(desk: Desk, database: ControlDatabase, now: datetime, swept: Swept) -> None:
    """Count anew what waited for a year whose notice is there now."""
    with database.begin() as connection:
        years = desk.calendars.current(connection).years
    for case in _each(database, lambda connection, after: waiting.for_years(connection, years, after, _MANY)):
        with _apart(case, swept), _locked(database, case) as (connection, filed):
            before = waiting.due_days(connection, case)
            lines = due_lines(filed.clocks, desk.calendars.current(connection))
            write_due(connection, case, filed, lines)
            moved = [line for line in lines if before.get(line.number) != (line.due_on, line.provisional)]
            append_all(connection, [recount_act(filed, line, _was(before, line), now) for line in moved])
            swept.recounted += bool(moved)


def _expire(desk: Desk, database: ControlDatabase, now: datetime, today: date, swept: Swept) -> None:
    for case in _each(database, lambda connection, after: waiting.ended(connection, today, after, _MANY)):
        with _apart(case, swept):
            with database.begin() as connection:
                answer = desk.carry_out(connection, _order(now), case, Action.EXPIRE, Given())
            swept.expired += isinstance(answer, Done)
            _note_declined(answer, swept)


def _tell_breaches(desk: Desk, database: ControlDatabase, now: datetime, today: date, swept: Swept) -> None:
    for case in _each(database, lambda connection, after: waiting.overdue(connection, today, after, _MANY)):
        with _apart(case, swept), _locked(database, case) as (connection, filed):
            lines = due_lines(filed.clocks, desk.calendars.current(connection))
            escalates: DueLine | None = None
            for number in waiting.untold(connection, case, today):
                line = lines[number - 1]
                _tell_breach(desk, connection, filed, line, now, swept)
                escalates = line if _shall_escalate(filed, line) else escalates
            if escalates is not None:
                _escalate(desk, connection, filed, escalates, now, swept)


def _tell_breach(
    desk: Desk, connection: Connection, filed: Filed, line: DueLine, now: datetime, swept: Swept
) -> None:
    what = "target_missed" if line.advisory else "breach"
    append(connection, clock_act(filed, filed.clocks[line.number - 1], line, what, now))
    if line.open and not line.advisory:
        _tell(desk, connection, filed, line, Reached(_WHOLE, overdue=True, now=now))
    waiting.told(connection, UUID(filed.case.opening.id), line.number, now)
    swept.missed_targets += line.advisory
    swept.breached += not line.advisory


def _shall_escalate(filed: Filed, line: DueLine) -> bool:
    """Whether the policy lets an answer that is overdue go to the next level, and there is one."""
    rule = filed.clocks[line.number - 1].run.rule
    overdue_answer = line.open and line.key == REPLY and filed.case.state is State.DECIDING
    has_level = filed.case.level < len(filed.case.opening.rules.dispute_levels)
    return overdue_answer and not line.advisory and _ESCALATE in rule.on_breach and has_level


def _escalate(
    desk: Desk, connection: Connection, filed: Filed, line: DueLine, now: datetime, swept: Swept
) -> None:
    source = because(filed.clocks[line.number - 1].decided.given)
    said = Given(text=f"REPLY_OVERDUE {line.due_on} {source}")
    case = UUID(filed.case.opening.id)
    answer = desk.carry_out(connection, _order(now), case, Action.ESCALATE, said)
    swept.escalated += isinstance(answer, Done)
    _note_declined(answer, swept)


def _remind(desk: Desk, database: ControlDatabase, now: datetime, today: date, swept: Swept) -> None:
    """Tell the highest percentage that was reached: who was away need not be told the lower ones."""
    for case in _each(database, lambda connection, after: waiting.reminders(connection, today, after, _MANY)):
        with _apart(case, swept), _locked(database, case) as (connection, filed):
            lines = due_lines(filed.clocks, desk.calendars.current(connection))
            for number in waiting.reminding(connection, case, today):
                line = lines[number - 1]
                days = zip(line.remind_at, line.remind_on, strict=True)
                percent = max(each for each, day in days if day <= today)
                clock = filed.clocks[number - 1]
                append(connection, clock_act(filed, clock, line, "reminder", now, percent))
                _tell(desk, connection, filed, line, Reached(percent, overdue=False, now=now))
                waiting.reminded(connection, case, line, percent)
                swept.reminded += 1


def _tell(desk: Desk, connection: Connection, filed: Filed, line: DueLine, reached: Reached) -> None:
    calendar = desk.calendars.current(connection)
    tell_duty(connection, filed, line, reached, calendar, desk.ids)


def _each(database: ControlDatabase, find: waiting.Find) -> Iterator[UUID]:
    """Cases that are waiting, page by page; one that stays so in spite of all is met once."""
    after: UUID | None = None
    while True:
        with database.begin() as connection:
            found = find(connection, after)
        if not found:
            return
        yield from found
        after = found[-1]


@contextmanager
def _apart(case: UUID, swept: Swept) -> Iterator[None]:
    """Work on one case: its own faults end nothing but that, a database that is away ends the sweep."""
    try:
        yield
    except (DistrustCase, UnknownForm) as error:
        swept.failed[case] = str(error)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - it is reported, and the other cases go on
        # Only the kind: the text of what nobody foresaw may hold anything.
        swept.failed[case] = type(error).__name__


@contextmanager
def _locked(database: ControlDatabase, case: UUID) -> Iterator[tuple[Connection, Filed]]:
    with database.begin() as connection:
        filed = load(connection, case, lock=True)
        if filed is None:
            raise LookupError(str(case))
        yield connection, filed


def _order(now: datetime) -> Order:
    return Order(key="", actor=SYSTEM, now=now)


def _was(before: Mapping[int, tuple[date | None, bool]], line: DueLine) -> str | None:
    day = before[line.number][0] if line.number in before else None
    return None if day is None else day.isoformat()


def _note_declined(answer: object, swept: Swept) -> None:
    """A wrong state is none to note: somebody else was there in between."""
    codes = [problem.code for problem in answer.problems] if isinstance(answer, Declined) else []
    if isinstance(answer, Declined) and codes != ["WRONG_STATE"]:
        swept.declined[answer.number] = ", ".join(codes)
