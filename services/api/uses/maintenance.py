"""Maintenance as pages and the API announce it: early enough or not at all, told to every department.

The working days between notice and work come from the adopted policy; never fewer than three (requirement
A11-08).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.clocks.merge import Policy
from services.control.notices.maintenance import (
    SHORTEST_NOTICE,
    RefusedNotice,
    Work,
    announce,
    notice_days,
)
from services.control.store.accounts.departments import departments
from services.control.store.cases.policies import adopted
from services.control.store.clocks.calendars import read_calendar
from services.control.store.notices import works
from services.control.store.notices.tables import WorkState
from services.control.store.notices.works import Kept

_EVERYBODYS: Final = Whose()
_FIELDS: Final = {"TIMES_REVERSED": "end", "NOTICE_TOO_SHORT": "begin"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Maintenance that somebody plans, and what it is for: that stands in the ledger."""

    begin: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Planned:
    """An announcement as it is shown."""

    kept: Kept
    too_short: bool
    """The holidays that are known by now make the notice too short: it must be withdrawn."""


def coming(parts: Parts, principal: Principal) -> list[Planned]:
    """Announced maintenance that is not over, the next first; for whoever has a role."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    now = parts.clock()
    with parts.database.reading() as connection:
        calendar = read_calendar(connection)
        return [
            Planned(each, each.work.begin > now and each.is_too_short(calendar))
            for each in works.coming(connection, now)
        ]


def shown(parts: Parts, principal: Principal, id_: UUID) -> Planned:
    """One announcement, also one that was withdrawn or is over.

    Raises:
        AnswerProblem: there is none.
    """
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        found = works.one(connection, id_)
        if found is None:
            raise AnswerProblem(Code.NOT_FOUND)
        stands = found.state is WorkState.ANNOUNCED and found.work.begin > parts.clock()
        return Planned(found, stands and found.is_too_short(read_calendar(connection)))


def days_before(parts: Parts, principal: Principal) -> int:
    """The whole working days that have to lie between notice and work now."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        return _days(connection)


def announced(parts: Parts, principal: Principal, connection: Connection, wanted: Wanted) -> Kept:
    """Announce maintenance to every department.

    Raises:
        AnswerProblem: somebody may not, or the notice would be too short; nobody is told anything then.
    """
    permit(parts, principal, Action.NOTICE_ANNOUNCE, _EVERYBODYS)
    now, days = parts.clock(), _days(connection)
    told = tuple(each.id for each in departments(connection) if each.active)
    work = Work(str(parts.new_id(now)), wanted.begin, wanted.end, told)
    answer = announce(work, read_calendar(connection), now, days)
    if isinstance(answer, RefusedNotice):
        raise _refused(answer, days)
    event, who = parts.new_id(now), principal.person
    works.keep(connection, answer, notice_days=days, who=who, event=event, now=now, why=wanted.why)
    return Kept(work, WorkState.ANNOUNCED, now, days, answer.waits_for, None)


def withdrawn(parts: Parts, principal: Principal, id_: UUID, why: str) -> None:
    """Withdraw an announcement before the work begins, and tell every department.

    Raises:
        AnswerProblem: somebody may not, there is none, or it was withdrawn before or has begun.
    """
    permit(parts, principal, Action.NOTICE_ANNOUNCE, _EVERYBODYS)
    now = parts.clock()
    with parts.database.begin() as connection:
        if works.one(connection, id_) is None:
            raise AnswerProblem(Code.NOT_FOUND)
        event, who = parts.new_id(now), principal.person
        if not works.call_off(connection, id_, who=who, event=event, now=now, why=why):
            raise AnswerProblem(Code.WRONG_STATE)


def _days(connection: Connection) -> int:
    found = adopted(connection)
    return SHORTEST_NOTICE if found is None else notice_days(Policy((), (), found.policy.values))


def _refused(answer: RefusedNotice, days: int) -> AnswerProblem:
    def problems(language: Language) -> tuple[Problem, ...]:
        what, remedy = (answer.what, answer.remedy) if language is Language.EN else _in_chinese(answer, days)
        return (Problem(answer.code, _FIELDS[answer.code], what, remedy),)

    latest = None if answer.latest is None else answer.latest.isoformat()
    return AnswerProblem(Code.INVALID, problems, latest_notice=latest, notice_days=days)


def _in_chinese(answer: RefusedNotice, days: int) -> tuple[str, str]:
    if answer.latest is None:
        return "结束时间不晚于开始时间", "请填写晚于开始时间的结束时间"
    return f"距维护开始不足 {days} 个工作日", f"请改期；该日的维护最迟应在 {answer.latest} 公告"
