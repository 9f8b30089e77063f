"""Retirements of versions as pages and the API work on them: looked at, announced, postponed, given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import require_seen
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.clocks.calendar import civil_day
from services.control.desk.retiring import Refused, Retiring
from services.control.retirements.plan import By, Retirement, Wish, first_day
from services.control.retirements.wording import in_words
from services.control.retirements.words import Refusal, State
from services.control.store.retirements.reading import by_id, listed
from topics.event import ResourceId


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to retire; without a begin the parallel run begins on the day it is announced."""

    old: str
    new: str
    retires_on: date
    why: str
    parallel_from: date | None = None


def all_of(
    parts: Parts, principal: Principal, state: State | None = None, after: UUID | None = None, limit: int = 50
) -> Sequence[Retirement]:
    """Retirements, the newest first; whoever sees the catalogue sees which of its versions end.

    Raises:
        AnswerProblem: somebody may not look at the catalogue.
    """
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        return listed(connection, state, after, limit)


def shown(parts: Parts, principal: Principal, id_: UUID) -> Retirement:
    """One retirement.

    Raises:
        AnswerProblem: there is none, or somebody may not look at the catalogue.
    """
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        found = by_id(connection, id_)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return found


def planned(parts: Parts, principal: Principal, connection: Connection, asked: Asked) -> Retirement:
    """Announce that a version ends.

    Raises:
        AnswerProblem: there is no such version, somebody may not, or everything that is against it.
    """
    resource = parts.definitions.resources.get(ResourceId(asked.old))
    if resource is None:
        raise AnswerProblem(Code.NOT_FOUND)
    by = _by(parts, principal, resource.provider)
    begin = asked.parallel_from or civil_day(by.now)
    wish = Wish(resource.id, ResourceId(asked.new), begin, asked.retires_on, asked.why)
    return _done(_retiring(parts).plan(connection, wish, resource.provider, parts.parallel_days, by))


def postponed(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    id_: UUID,
    day: date,
    why: str,
    if_match: str | None,
) -> Retirement:
    """Let a version end later.

    Raises:
        AnswerProblem: there is none, somebody may not or was quicker, or what is against it.
    """
    found, by = _locked(parts, principal, connection, id_, if_match)
    return _done(_retiring(parts).postpone(connection, found, day, why, by))


def cancelled(
    parts: Parts, principal: Principal, connection: Connection, id_: UUID, why: str, if_match: str | None
) -> Retirement:
    """Let a version stay.

    Raises:
        AnswerProblem: there is none, somebody may not or was quicker, or what is against it.
    """
    found, by = _locked(parts, principal, connection, id_, if_match)
    return _done(_retiring(parts).cancel(connection, found, why, by))


def earliest(parts: Parts) -> date:
    """The first day on which a version may end that is announced today: what a form proposes."""
    with parts.database.reading() as connection:
        calendar = parts.desk.calendars.current(connection)
    return first_day(calendar, civil_day(parts.clock()), parts.parallel_days).day


def _locked(
    parts: Parts, principal: Principal, connection: Connection, id_: UUID, if_match: str | None
) -> tuple[Retirement, By]:
    found = by_id(connection, id_, lock=True)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    by = _by(parts, principal, found.provider)
    require_seen(if_match, found.version)
    return found, by


def _by(parts: Parts, principal: Principal, provider: str) -> By:
    """Who changes it, in which role."""
    role = permit(parts, principal, Action.CATALOGUE_RETIRE, Whose(provider=provider)).role
    return By(principal.person, role.value, principal.department, parts.clock())


def _retiring(parts: Parts) -> Retiring:
    return Retiring(parts.desk.entries, parts.desk.calendars, parts.new_id)


def _done(done: Retirement | Refused) -> Retirement:
    if isinstance(done, Retirement):
        return done
    state = {Refusal.NOT_PLANNED, Refusal.DAY_REACHED, Refusal.ALREADY_ENDING}
    code = Code.WRONG_STATE if {each.code for each in done} <= state else Code.INVALID
    raise AnswerProblem(code, lambda language: [in_words(each, language) for each in done])
