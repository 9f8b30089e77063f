"""Objections to the open directory as pages and the API work on them: answered in time, extended once."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import require_seen
from services.api.forms import LARGEST
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.security.asking import permit
from services.api.uses.cases import actor_of
from services.api.uses.catalogue import whose_is
from services.api.uses.reach import own, sees, visible_to
from services.api.uses.task import days_left
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem, Role
from services.control.clocks.calendar import Calendar, civil_day
from services.control.objections.life import Refused, allowed
from services.control.objections.objection import Given, Opening
from services.control.objections.words import Action, State
from services.control.store.catalogue.dossiers import EntryId, Stored, by_id
from services.control.store.clocks.calendars import read_calendar
from services.control.store.objections import work
from services.control.store.objections.reading import Filed, Wish, listed, load

_NO_PROVIDER = Problem(
    "UNKNOWN_DEPARTMENT", "entry", "no department here has the entry", "add the department first"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody objects to, and why; ``reference`` is the letter's number where the public wrote it."""

    entry: UUID
    text: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An objection, until when it has to be answered, and what its reader can ask for now."""

    filed: Filed
    due_on: date | None
    provisional: bool
    days_left: int | None
    actions: tuple[Action, ...]


def objections(
    parts: Parts,
    principal: Principal,
    state: State | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Shown]:
    """Objections that somebody sees, the newest first."""
    wish = Wish(state, None, visible_to(parts, principal, Asked.OBJECTION_LOOK))
    with parts.database.reading() as connection:
        calendar = read_calendar(connection)
        return [_shown(parts, principal, each, calendar) for each in listed(connection, wish, before, limit)]


def shown(parts: Parts, principal: Principal, number: int) -> Shown:
    """One objection with all that happened to it.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        filed = load(connection, number) if number <= LARGEST else None
        calendar = read_calendar(connection)
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    permit(parts, principal, Asked.OBJECTION_LOOK, whose(filed))
    return _shown(parts, principal, filed, calendar)


def made(parts: Parts, principal: Principal, connection: Connection, said: Said) -> Filed:
    """Object to how an entry is opened, or is not.

    Raises:
        AnswerProblem: somebody may not, there is no such entry, or rules are against it.
    """
    role = permit(parts, principal, Asked.OBJECTION_OBJECT, own(principal)).role
    stored = by_id(connection, EntryId(said.entry))
    version = None if stored is None else stored.dossier.published or stored.dossier.versions[-1]
    if stored is None or version is None:
        raise AnswerProblem(Code.NOT_FOUND)
    now = parts.clock()
    opening = Opening(
        id=parts.new_id(now),
        who=actor_of(principal, Role(role.value)),
        when=now,
        entry=stored.id,
        name=version.entry.name,
        provider=_provider(connection, stored),
        text=said.text,
        reference=said.reference,
    )
    done = work.receive(
        connection,
        opening,
        read_calendar(connection),
        lambda: parts.new_id(now),
        published=stored.dossier.published is not None,
    )
    return _done(done)


def acted(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    number: int,
    action: Action,
    given: Given,
    if_match: str | None,
) -> Filed:
    """Take an action on an objection.

    Raises:
        AnswerProblem: somebody may not, rules are against it, or somebody was quicker.
    """
    filed = load(connection, number, lock=True) if number <= LARGEST else None
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    role = permit(parts, principal, Asked(f"objection.{action.value}"), whose(filed)).role
    require_seen(if_match, filed.version)
    who, now = actor_of(principal, Role(role.value)), parts.clock()
    calendar = read_calendar(connection)
    return _done(
        work.act(
            connection,
            filed,
            filed.version,
            action,
            who,
            now,
            given,
            calendar,
            lambda: parts.new_id(now),
        )
    )


def whose(filed: Filed) -> Whose:
    """The departments of an objection: whose entry it is about, and who made it."""
    opening = filed.objection.opening
    return Whose(provider=opening.provider, consumer=opening.who.department)


def _provider(connection: Connection, stored: Stored) -> str:
    found = whose_is(connection, stored.dossier).provider
    if found is None:
        raise refused([_NO_PROVIDER])
    return found


def _shown(parts: Parts, principal: Principal, filed: Filed, calendar: Calendar) -> Shown:
    due, today = filed.due(calendar), civil_day(parts.clock())
    takes = [
        action
        for role in sorted(principal.roles)
        for action in allowed(filed.objection, actor_of(principal, Role(role.value)))
    ]
    return Shown(
        filed,
        None if due is None else due.day,
        due is not None and due.provisional,
        None if due is None else days_left(calendar, today, due.day),
        tuple(
            each
            for each in dict.fromkeys(takes)
            if sees(principal, Asked(f"objection.{each.value}"), whose(filed))
        ),
    )


def _done(done: Filed | Refused) -> Filed:
    if isinstance(done, Refused):
        raise refused(done.problems)
    return done
