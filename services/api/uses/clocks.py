"""Legal clocks as pages and the API ask for them: days counted, dates explained, packs, the calendar."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.said import OF_FILES
from services.api.security.asking import permit
from services.api.uses.cases import found, whose
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.clocks.arithmetic import add_working_days
from services.control.clocks.calendar import Calendar, Due, civil_day
from services.control.clocks.calendar_file import CalendarInvalid, parse_year
from services.control.clocks.merge import CorrectPacks, merge
from services.control.clocks.pack import Pack
from services.control.clocks.pack_file import PacksInvalid
from services.control.definition_error import DefinitionError
from services.control.docket.bound import bound
from services.control.docket.explaining import explanation
from services.control.docket.simulating import Late, replayed
from services.control.store.cases.policies import Adopted, adopt, adopted
from services.control.store.cases.reading import each_case
from services.control.store.clocks.calendars import import_year, known_years, read_calendar
from services.control.store.clocks.packs import import_pack, read_packs
from services.control.store.outbox import Act, append

_NO_SUCH_DAY: Final = Problem(
    "NO_SUCH_DAY", "start", "that would be after the last day there is", "begin earlier"
)
_OTHER_YEAR: Final = Problem("FORM", "year", "the notice is of another year", "name the year of the notice")


@dataclass(frozen=True, slots=True)
class Adoption:
    """Which packs shall count, who rules on disputes, the lowest level first, and why."""

    packs: tuple[str, ...]
    levels: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """Some cases as they would stand under other packs."""

    cases: int
    late: tuple[Late, ...]
    following: int | None
    """The number of the last of them where there may be more."""


def due(parts: Parts, principal: Principal, start: date, working_days: int) -> Due:
    """The day on which so many working days have passed.

    Raises:
        AnswerProblem: that is after the last day that a calendar can have.
    """
    known = calendar(parts, principal)
    try:
        return add_working_days(known, start, working_days)
    except OverflowError as error:
        raise AnswerProblem(Code.INVALID, [_NO_SUCH_DAY]) from error


def calendar(parts: Parts, principal: Principal) -> Calendar:
    """The working days as they are known."""
    permit(parts, principal, Action.POLICY_LOOK, own(principal))
    with parts.database.reading() as connection:
        return read_calendar(connection)


def years(parts: Parts, principal: Principal) -> list[int]:
    """The years whose notice is there."""
    permit(parts, principal, Action.POLICY_LOOK, own(principal))
    with parts.database.reading() as connection:
        return sorted(known_years(connection))


def explained(parts: Parts, principal: Principal, case: str) -> dict[str, Any]:
    """Why each date of a case is what it is.

    Raises:
        AnswerProblem: there is no such case, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        filed = found(connection, case)
        permit(parts, principal, Action.CASE_LOOK, whose(filed))
        return explanation(filed, read_calendar(connection), parts.clock())


def packs(parts: Parts, principal: Principal) -> Mapping[str, Pack]:
    """The newest version of each policy pack."""
    permit(parts, principal, Action.POLICY_LOOK, own(principal))
    with parts.database.reading() as connection:
        return read_packs(connection)


def policy(parts: Parts, principal: Principal) -> Adopted:
    """The policy that new cases are bound to.

    Raises:
        AnswerProblem: none is adopted yet.
    """
    permit(parts, principal, Action.POLICY_LOOK, own(principal))
    with parts.database.reading() as connection:
        kept = adopted(connection)
    if kept is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return kept


def take_year(parts: Parts, principal: Principal, year: int, content: str) -> bool:
    """Take the notice of a year instead of the one that was there; returns whether it says anything new.

    Raises:
        AnswerProblem: somebody may not, or something is wrong with the text.
    """
    permit(parts, principal, Action.POLICY_IMPORT_CALENDAR, own(principal))
    try:
        days = parse_year(content, str(year))
    except CalendarInvalid as error:
        raise _invalid(error.errors) from error
    if days[0].year != year:
        raise AnswerProblem(Code.INVALID, [_OTHER_YEAR])
    with parts.database.begin() as connection:
        return import_year(connection, days, principal.person, parts.clock())


def take_pack(parts: Parts, principal: Principal, content: str) -> Pack | None:
    """Take a version of a pack; None where this very text is there already.

    Raises:
        AnswerProblem: somebody may not, or something is wrong with the text.
        RaiseVersion: its version is not above the newest one.
    """
    permit(parts, principal, Action.POLICY_CHANGE_PACKS, own(principal))
    try:
        with parts.database.begin() as connection:
            return import_pack(connection, content, "pack", principal.person, parts.clock())
    except PacksInvalid as error:
        raise _invalid(error.errors) from error


def adopt_packs(parts: Parts, principal: Principal, connection: Connection, wanted: Adoption) -> Adopted:
    """Bind the cases that are opened from now on to these packs.

    Raises:
        AnswerProblem: there is no such pack, or they make no policy together.
    """
    permit(parts, principal, Action.POLICY_CHANGE_PACKS, own(principal))
    now, chosen = parts.clock(), _chosen(read_packs(connection), wanted.packs)
    try:
        merged = merge(chosen, civil_day(now))
    except CorrectPacks as error:
        raise AnswerProblem(Code.REFUSED, detail=f"{error.what}; {error.remedy}") from error
    done = adopt(connection, bound(merged, wanted.levels), principal.person, now, wanted.reason)
    facts = {"number": done.number}
    append(connection, Act(principal.person, "policy.adopt", "case-policy", done.digest, now, facts=facts))
    return done


def simulated(
    parts: Parts, principal: Principal, names: Sequence[str], after: int = 0, limit: int = 200
) -> Simulated:
    """Replay some cases under other packs, each at its level, and say which duties are late then.

    Nothing is written: cases stay bound to the policy under which they were opened.

    Raises:
        AnswerProblem: somebody may not, there is no such pack, or they make no policy together.
    """
    permit(parts, principal, Action.POLICY_SIMULATE, Whose())
    with parts.database.reading() as connection:
        chosen = _chosen(read_packs(connection), names)
        cases = [filed for _, filed in each_case(connection, after, limit)]
        days = read_calendar(connection)
    try:
        found = [
            late for _, those in replayed(cases, chosen, days, civil_day(parts.clock())) for late in those
        ]
    except CorrectPacks as error:
        raise AnswerProblem(Code.REFUSED, detail=f"{error.what}; {error.remedy}") from error
    return Simulated(len(cases), tuple(found), cases[-1].number if len(cases) == limit else None)


def _chosen(known: Mapping[str, Pack], names: Sequence[str]) -> list[Pack]:
    missing = [name for name in names if name not in known]
    if missing:
        raise AnswerProblem(Code.NOT_FOUND, missing=missing)
    return [known[name] for name in dict.fromkeys(names)]


def _invalid(errors: Iterable[DefinitionError]) -> AnswerProblem:
    problems = [
        Problem(OF_FILES, f"{each.line}: {each.field}".rstrip(": "), each.problem, each.remedy)
        for each in errors
    ]
    return AnswerProblem(Code.INVALID, problems)
