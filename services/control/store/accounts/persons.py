"""Reads people with their roles, adds them, and switches their accounts on and off."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import array, insert

from services.control.accounts.actions import Action
from services.control.accounts.people import Person, person_problems
from services.control.accounts.roles import Role
from services.control.cases.words import Problem
from services.control.store.accounts.acts import CorrectRequest, Order, of_person
from services.control.store.accounts.departments import unknown_department
from services.control.store.accounts.tables import (
    DEPARTMENTS,
    OVERSIGHT,
    PERSONS,
    ROLES,
    SESSIONS,
    TOKENS,
)


def add_person(connection: Connection, person: Person, order: Order) -> None:
    """Add a person without any role: those are given by somebody else, one by one.

    Raises:
        CorrectRequest: something is wrong with it, the login name is taken, or the department unknown.
    """
    problems = [*person_problems(person), *_without_roles(person)]
    if problems:
        raise CorrectRequest(*problems)
    _require_department(connection, person.department)
    values = _values(person) | {"created_at": order.now, "changed_at": order.now}
    statement = insert(PERSONS).values(values).on_conflict_do_nothing(index_elements=["login"])
    if connection.execute(statement.returning(PERSONS.c.id)).first() is None:
        what = f"the login name {person.login} is taken"
        raise CorrectRequest(Problem("TAKEN", "login", what, "choose another"))
    of_person(connection, order, Action.ACCOUNT_ADD, person.id, department=person.department)


def person_of(connection: Connection, id_: UUID) -> Person | None:
    """The person of an id."""
    return _one(connection, _people().where(PERSONS.c.id == id_))


def person_by_login(connection: Connection, login: str) -> Person | None:
    """The person of a login name."""
    return _one(connection, _people().where(PERSONS.c.login == login))


def people(
    connection: Connection,
    department: str | None = None,
    visible: Collection[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Person]:
    """People by login name, or those of one department.

    Args:
        connection: inside the caller's transaction.
        department: whose.
        visible: only those of one of these departments; None of all.
        after: the login name of the last one of the page before.
        limit: how many at most.
    """
    wanted = _people().where(PERSONS.c.login > after).order_by(PERSONS.c.login).limit(limit)
    if department is not None:
        wanted = wanted.where(PERSONS.c.department == department)
    if visible is not None:
        wanted = wanted.where(PERSONS.c.department.in_(sorted(visible)))
    return [_person(row) for row in connection.execute(wanted)]


def lock_person(connection: Connection, id_: UUID) -> Person:
    """The person of an id, whom nobody else changes before this transaction ends.

    Raises:
        CorrectRequest: there is none.
    """
    connection.execute(select(PERSONS.c.id).where(PERSONS.c.id == id_).with_for_update())
    found = person_of(connection, id_)
    if found is None:
        what = "there is no such person"
        raise CorrectRequest(Problem("UNKNOWN_PERSON", "person", what, "`govbus account list` shows them"))
    return found


def disable(connection: Connection, id_: UUID, order: Order, *, over: bool = False) -> bool:
    """Switch an account off, and with it for good all that is open of it: sessions and tokens.

    Args:
        connection: inside the caller's transaction.
        id_: the person.
        order: who wants it; who switched an account off has to be asked before it is switched on.
        over: whether this also counts where somebody else has switched it off already.
    """
    person = lock_person(connection, id_)
    if not person.active and not (over and person.disabled_by != order.by):
        return False
    changed(connection, id_, order, active=False, disabled_by=order.by)
    of_person(connection, order, Action.ACCOUNT_DISABLE, id_)
    close(connection, id_, order)
    return True


def enable(connection: Connection, id_: UUID, order: Order) -> bool:
    """Switch an account on again; what was open before stays closed."""
    if lock_person(connection, id_).active:
        return False
    changed(connection, id_, order, active=True, disabled_by=None)
    of_person(connection, order, Action.ACCOUNT_ENABLE, id_)
    return True


def close(connection: Connection, id_: UUID, order: Order) -> None:
    """End for good all that is open of an account: sessions and tokens."""
    open_sessions = or_(SESSIONS.c.ends_at.is_(None), SESSIONS.c.ends_at > order.now)
    ended = update(SESSIONS).where(SESSIONS.c.person == id_, open_sessions)
    connection.execute(ended.values(ends_at=order.now))
    revoked = update(TOKENS).where(TOKENS.c.person == id_, TOKENS.c.revoked_at.is_(None))
    connection.execute(revoked.values(revoked_at=order.now))


def move(connection: Connection, id_: UUID, department: str, order: Order) -> None:
    """Put a person into another department.

    Raises:
        CorrectRequest: there is no such department.
    """
    _require_department(connection, department)
    changed(connection, id_, order, department=department)
    of_person(connection, order, "account.move", id_, department=department)


def changed(connection: Connection, id_: UUID, order: Order, **values: Any) -> None:
    """Write values of a person, and raise the number of its rights, so that sessions take a new id."""
    values = {**values, "rights": PERSONS.c.rights + 1, "changed_at": order.now}
    connection.execute(update(PERSONS).where(PERSONS.c.id == id_).values(values))


def _require_department(connection: Connection, id_: str) -> None:
    known = select(DEPARTMENTS.c.id).where(DEPARTMENTS.c.id == id_, DEPARTMENTS.c.active)
    if connection.execute(known).first() is None:
        raise CorrectRequest(unknown_department(id_))


def _without_roles(person: Person) -> Iterable[Problem]:
    if person.roles or person.oversees:
        yield Problem("ROLES", "roles", "a new account has no role", "give the role afterwards")


def _people() -> Select[Any]:
    none = array([], type_=ROLES.c.role.type)
    roles = select(func.array_agg(ROLES.c.role)).where(ROLES.c.person == PERSONS.c.id).scalar_subquery()
    over = (
        select(func.array_agg(OVERSIGHT.c.department))
        .where(OVERSIGHT.c.person == PERSONS.c.id)
        .scalar_subquery()
    )
    open_ = select(DEPARTMENTS.c.active).where(DEPARTMENTS.c.id == PERSONS.c.department).scalar_subquery()
    return select(
        PERSONS,
        func.coalesce(roles, none).label("roles"),
        func.coalesce(over, none).label("oversees"),
        func.coalesce(open_, False).label("department_active"),
    )


def _one(connection: Connection, wanted: Select[Any]) -> Person | None:
    row = connection.execute(wanted).first()
    return None if row is None else _person(row)


def _values(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name.strip(),
        "department": person.department,
        "email": person.email,
        "active": person.active,
        "must_change_password": person.must_change_password,
        "rights": person.rights,
    }


def _person(row: Row[Any]) -> Person:
    return Person(
        row.id,
        row.login,
        row.name,
        row.department,
        frozenset(map(Role, row.roles)),
        frozenset(row.oversees),
        row.email,
        row.active,
        row.must_change_password,
        row.rights,
        row.department_active,
        row.disabled_by,
    )
