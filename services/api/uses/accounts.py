"""Accounts as administrators work on them: departments, people, roles; each look at people is recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import require_seen
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.accounts.people import Department, Person, enable_problem, reset_problem
from services.control.accounts.roles import Role
from services.control.cases.words import Problem
from services.control.store.accounts import (
    counters,
    departments,
    persons,
    roles,
    sessions,
    tokens,
)
from services.control.store.accounts.acts import CorrectRequest, Noted, Order, note, of_person
from services.control.store.outbox import is_id


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to an account; ``role`` and ``departments`` where it needs them."""

    action: Action
    why: str = ""
    role: Role | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """An account after a change; ``password`` is shown this once."""

    person: Person
    password: str | None = None


def departments_of(
    parts: Parts, principal: Principal, after: str = "", limit: int | None = None
) -> list[Department]:
    """The departments whose accounts somebody may look at, by id, from behind ``after`` on."""
    seen = _visible(parts, principal)
    with parts.database.begin() as connection:
        found = departments.departments(connection, seen, after, limit)
        _looked(parts, connection, principal, "department", "all")
    return found


def department(parts: Parts, principal: Principal, id_: str) -> Department:
    """One department with its three named persons.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    permit(parts, principal, Action.ACCOUNT_LOOK, Whose(id_, id_))
    with parts.database.begin() as connection:
        found = departments.department_of(connection, id_)
        if found is None:
            raise AnswerProblem(Code.NOT_FOUND)
        _looked(parts, connection, principal, "department", id_)
    return found


def put_department(
    parts: Parts,
    principal: Principal,
    wanted: Department,
    if_match: str | None,
    etag: Callable[[Department], int],
) -> bool:
    """Add a department, or replace what is known of it; returns whether it is new.

    Args:
        parts: of the process.
        principal: who asks.
        wanted: the department.
        if_match: the version that was seen, of a department that is there.
        etag: counts what a department says as a version.

    Raises:
        AnswerProblem: somebody may not, or somebody was quicker.
        CorrectRequest: something is wrong with it.
    """
    order = Order(principal.person, parts.clock())
    whose = Whose(wanted.id, wanted.id)
    with parts.database.begin() as connection:
        before = departments.lock_department(connection, wanted.id)
        if before is None:
            permit(parts, principal, Action.ACCOUNT_ADD_DEPARTMENT, whose)
            departments.add_department(connection, wanted, order)
            return True
        permit(parts, principal, Action.ACCOUNT_EDIT_DEPARTMENT, whose)
        require_seen(if_match, etag(before))
        departments.edit_department(connection, wanted, order)
        return False


def people_of(
    parts: Parts,
    principal: Principal,
    department: str | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Person]:
    """The people whose accounts somebody may look at, by login name, from behind ``after`` on.

    All, or those of one department; what is no id has none.
    """
    seen = _visible(parts, principal)
    if department is not None and not is_id(department):
        return []
    with parts.database.begin() as connection:
        found = persons.people(connection, department, seen, after, limit)
        _looked(parts, connection, principal, "department", department or "all")
    return found


def person(parts: Parts, principal: Principal, id_: UUID) -> Person:
    """One person's account.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.begin() as connection:
        found = persons.person_of(connection, id_)
        if found is None:
            raise AnswerProblem(Code.NOT_FOUND)
        permit(parts, principal, Action.ACCOUNT_LOOK, whose(found))
        _looked(parts, connection, principal, "account", str(id_))
    return found


def added(parts: Parts, principal: Principal, connection: Connection, wanted: Person) -> Changed:
    """Add a local account without any role; its first password is returned once.

    Raises:
        AnswerProblem: somebody may not.
        CorrectRequest: something is wrong with it.
    """
    permit(parts, principal, Action.ACCOUNT_ADD, Whose(wanted.department, wanted.department))
    order = Order(principal.person, parts.clock())
    persons.add_person(connection, wanted, order)
    password = parts.logins.reset(connection, wanted.id, order)
    return Changed(persons.lock_person(connection, wanted.id), password)


def changed(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    id_: UUID,
    change: Change,
    if_match: str | None,
) -> Changed:
    """Change an account; its version is the number of its rights.

    Raises:
        AnswerProblem: there is none, somebody may not, or somebody was quicker.
        CorrectRequest: rules are against it.
    """
    before = persons.person_of(connection, id_)
    if before is None:
        raise AnswerProblem(Code.NOT_FOUND)
    permit(parts, principal, change.action, whose(before))
    before = persons.lock_person(connection, id_)
    require_seen(if_match, before.rights)
    order = Order(principal.person, parts.clock(), change.why)
    password = _carried_out(parts, principal, connection, before, change, order)
    return Changed(persons.lock_person(connection, id_), password)


def token_revoked(parts: Parts, principal: Principal, id_: UUID, prefix: str, why: str) -> None:
    """Revoke a token of somebody.

    Raises:
        AnswerProblem: there is no such person or token, or somebody may not.
    """
    with parts.database.begin() as connection:
        owner = persons.person_of(connection, id_)
        if owner is None or prefix not in {each.prefix for each in tokens.tokens_of(connection, id_)}:
            raise AnswerProblem(Code.NOT_FOUND)
        permit(parts, principal, Action.ACCOUNT_REVOKE_TOKEN, whose(owner))
        tokens.revoke_token(connection, prefix, Order(principal.person, parts.clock(), why))


def whose(person: Person) -> Whose:
    """The department of an account, whatever it is to it."""
    return Whose(person.department, person.department)


def _carried_out(
    parts: Parts, principal: Principal, connection: Connection, person: Person, change: Change, order: Order
) -> str | None:
    id_ = person.id
    match change.action:
        case Action.ACCOUNT_DISABLE:
            over = enable_problem(person, principal) is None
            persons.disable(connection, id_, order, over=over)
        case Action.ACCOUNT_ENABLE:
            _require(enable_problem(person, principal))
            persons.enable(connection, id_, order)
        case Action.ACCOUNT_RESET_PASSWORD:
            _require(reset_problem(person))
            return parts.logins.reset(connection, id_, order)
        case Action.ACCOUNT_UNLOCK:
            counters.unlock(connection, person.login)
            of_person(connection, order, Action.ACCOUNT_UNLOCK, id_)
        case Action.ACCOUNT_REVOKE_SESSIONS:
            sessions.end_all(connection, id_, order)
        case Action.ACCOUNT_GIVE_ROLE if change.role is not None:
            roles.give_role(connection, id_, change.role, order)
        case Action.ACCOUNT_TAKE_ROLE if change.role is not None:
            roles.take_role(connection, id_, change.role, order)
        case Action.ACCOUNT_SET_OVERSIGHT:
            roles.set_oversight(connection, id_, change.departments, order)
        case _:
            raise AnswerProblem(Code.INVALID)
    return None


def _require(problem: Problem | None) -> None:
    if problem is not None:
        raise CorrectRequest(problem)


def _visible(parts: Parts, principal: Principal) -> frozenset[str] | None:
    """The departments whose accounts somebody may look at; None for all."""
    seen = visible_to(parts, principal, Action.ACCOUNT_LOOK)
    return None if seen is None else seen.consumers | seen.providers


def _looked(parts: Parts, connection: Connection, principal: Principal, kind: str, object_: str) -> None:
    """Names, addresses and telephones are personal data: who looks at them stands in the ledger."""
    note(connection, Order(principal.person, parts.clock()), Noted(Action.ACCOUNT_LOOK, kind, object_))
