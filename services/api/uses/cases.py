"""Sharing cases as pages and the API work on them: lists, one case, opening one, every action on one."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import etag_of
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.security.asking import permit
from services.api.uses.reach import require_sight, sees, visible_to
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Allowed, Principal, Whose
from services.control.cases.application import Application
from services.control.cases.case import Event, Given
from services.control.cases.context import HOLDING, Context, context_of
from services.control.cases.grading import Grades
from services.control.cases.life import allowed
from services.control.cases.words import Action, Actor, Role
from services.control.desk.orders import Declined, Done, KeyReused, NoSuchCase, NotOpened, Order, Overtaken
from services.control.docket.extending import extendable
from services.control.docket.filed import Filed
from services.control.store.cases.listing import CaseLine, Wish, due, newest
from services.control.store.cases.reading import id_of, load, of_consumer
from topics.event import ResourceId
from topics.resource import Resource


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a case: by which key, on which version; None takes the case as it stands."""

    action: Action
    given: Given
    key: str | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """A case after an action; ``repeated`` where it took place when the key was used first."""

    filed: Filed
    repeated: bool


def listed(
    parts: Parts, principal: Principal, wish: Wish, before: int | None = None, limit: int = 50
) -> list[CaseLine]:
    """Cases that somebody sees, the newest first."""
    seen = visible_to(parts, principal, Asked.CASE_LOOK)
    with parts.database.reading() as connection:
        return newest(connection, replace(wish, visible_to=seen), before, limit)


def due_first(
    parts: Parts, principal: Principal, wish: Wish, after: tuple[date, int] | None = None, limit: int = 50
) -> list[CaseLine]:
    """Cases that somebody sees in which a duty runs, what is due first at the top."""
    seen = visible_to(parts, principal, Asked.CASE_LOOK)
    with parts.database.reading() as connection:
        return due(connection, replace(wish, visible_to=seen), after=after, limit=limit)


def shown(parts: Parts, principal: Principal, case: str) -> Filed:
    """One case, by its number or its id.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        filed = found(connection, case)
    require_sight(parts, principal, Asked.CASE_LOOK, whose(filed))
    permit(parts, principal, Asked.CASE_LOOK, whose(filed))
    return filed


def possible(principal: Principal, filed: Filed) -> tuple[Action, ...]:
    """What somebody can ask for now: the buttons of a page. Rules may still be against it."""
    actors = [actor_of(principal, Role(role.value)) for role in sorted(principal.roles)]
    takes = [action for actor in actors for action in allowed(filed.case, actor)]
    if not extendable(filed):
        takes = [action for action in takes if action is not Action.EXTEND]
    return tuple(
        action
        for action in dict.fromkeys(takes)
        if sees(principal, Asked(f"case.{action.value}"), whose(filed))
    )


def opened(parts: Parts, principal: Principal, application: Application, key: str | None = None) -> Acted:
    """Open a case as a draft.

    Raises:
        AnswerProblem: somebody may not, rules are against it, or the key was used for something else.
    """
    role = permit(parts, principal, Asked.CASE_OPEN, Whose(consumer=application.applicant))
    now = parts.clock()
    order = Order(_key(principal, key), _actor(principal, role), now)
    with parts.database.begin() as connection:
        answer = parts.desk.open(connection, order, parts.new_id(now), application)
    match answer:
        case Done(filed, repeated):
            return Acted(filed, repeated)
        case NotOpened(problems):
            raise refused(problems)
        case KeyReused():
            raise AnswerProblem(Code.KEY_REUSED)


def acted(parts: Parts, principal: Principal, case: str, wanted: Wanted) -> Acted:
    """Take an action on a case.

    Raises:
        AnswerProblem: somebody may not, rules are against it, somebody was quicker, or the key was used for
            something else.
    """
    with parts.database.begin() as connection:
        filed = found(connection, case, lock=True)
        require_sight(parts, principal, Asked.CASE_LOOK, whose(filed))
        role = permit(parts, principal, Asked(f"case.{wanted.action.value}"), whose(filed))
        order = Order(_key(principal, wanted.key), _actor(principal, role), parts.clock(), wanted.seen)
        id_ = UUID(filed.case.opening.id)
        answer = parts.desk.act(connection, order, id_, wanted.action, wanted.given)
    match answer:
        case Done(after, repeated):
            return Acted(after, repeated)
        case Declined():
            raise refused(answer.problems, state=answer.state.value, version=answer.version)
        case Overtaken():
            raise _overtaken(principal, filed, answer)
        case KeyReused():
            raise AnswerProblem(Code.KEY_REUSED)
        case NoSuchCase():
            raise AnswerProblem(Code.NOT_FOUND)


def context(parts: Parts, principal: Principal, case: str) -> Context:
    """What an approver must know: what is asked for, what the applicant holds, what both would reveal.

    Raises:
        AnswerProblem: there is no such case, somebody may not look, or its entry is gone.
    """
    with parts.database.reading() as connection:
        filed = found(connection, case)
        require_sight(parts, principal, Asked.CASE_LOOK, whose(filed))
        permit(parts, principal, Asked.CASE_LOOK_CONTEXT, whose(filed))
        resources, grades = _entries(parts, connection, filed)
        if filed.case.application.resource not in resources:
            raise AnswerProblem(Code.NOT_FOUND)
        held = of_consumer(connection, filed.case.opening.applicant, HOLDING)
        return context_of(filed.case, [each.case for each in held], resources, grades)


def found(connection: Connection, case: str, *, lock: bool = False) -> Filed:
    """The case of a number or an id; with ``lock`` others wait for it until the transaction ends.

    Raises:
        AnswerProblem: there is none.
    """
    id_ = _id(connection, case)
    filed = None if id_ is None else load(connection, id_, lock=lock)
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return filed


def whose(filed: Filed) -> Whose:
    """The departments of a case."""
    opening = filed.case.opening
    return Whose(provider=opening.provider, consumer=opening.applicant)


def actor_of(principal: Principal, role: Role) -> Actor:
    """The person as cases and tickets know who acts."""
    return Actor(principal.person, role, principal.department)


def _actor(principal: Principal, permission: Allowed) -> Actor:
    return actor_of(principal, Role(permission.role.value))


def _key(principal: Principal, key: str | None) -> str:
    """Nobody meets the keys of others; without one the request takes place as often as it comes."""
    return f"{principal.person}:{key}" if key else ""


def _id(connection: Connection, case: str) -> UUID | None:
    if case.isascii() and case.isdigit() and len(case) <= 18:
        return id_of(connection, int(case))
    try:
        return UUID(case)
    except ValueError:
        return None


def _overtaken(principal: Principal, filed: Filed, answer: Overtaken) -> AnswerProblem:
    """What happened meanwhile, in words for those only who may look at the case."""
    looks = sees(principal, Asked.CASE_LOOK, whose(filed))
    meanwhile = [_event(each, looks) for each in answer.meanwhile]
    return AnswerProblem(
        Code.OVERTAKEN,
        headers={"etag": etag_of(answer.version)},
        seen=answer.seen,
        version=answer.version,
        state=answer.state.value,
        meanwhile=meanwhile,
    )


def _event(event: Event, looks: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "number": event.number,
        "action": event.action.value,
        "when": event.when.isoformat(),
    }
    if looks:
        told |= {"role": event.who.role.value, "department": event.who.department, "text": event.text}
    return told


def _entries(parts: Parts, connection: Connection, filed: Filed) -> tuple[dict[ResourceId, Resource], Grades]:
    """What is declared, narrowed to the published form of the entry that is applied for; with its grades."""
    known = dict(parts.definitions.resources)
    wanted = filed.case.application.resource
    mounted = parts.desk.entries.mounted(connection, wanted)
    if mounted is None:
        known.pop(wanted, None)
        return known, {}
    known[wanted] = mounted.governed
    return known, mounted.grades
