"""Gives roles to people and takes them; the tables refuse a second duty even if two do so at once."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, delete, insert

from services.control.accounts.actions import Action
from services.control.accounts.people import Person, own_account_problem, roles_problem, takes_new_duty
from services.control.accounts.roles import DUTY_OF, Role
from services.control.cases.words import Problem
from services.control.store.accounts import passwords
from services.control.store.accounts.acts import CorrectRequest, Order, of_person
from services.control.store.accounts.persons import changed, close, lock_person
from services.control.store.accounts.tables import OVERSIGHT, ROLES


def give_role(connection: Connection, id_: UUID, role: Role, order: Order) -> bool:
    """Give a role; returns whether it was new.

    With the first role of a duty that decides, runs the bus or audits, the account begins anew: no password,
    session or token from before counts, since somebody else may have it.

    Raises:
        CorrectRequest: nobody may hold it together with what the person has, it is one's own account, or
            there is no such person.
    """
    person = _others(connection, id_, order)
    problem = roles_problem(person.roles, role)
    if problem is not None:
        raise CorrectRequest(problem)
    if role in person.roles:
        return False
    _insert(connection, id_, role, order)
    of_person(connection, order, Action.ACCOUNT_GIVE_ROLE, id_, role=role.value)
    if takes_new_duty(person.roles, role) and passwords.void(connection, id_, order):
        close(connection, id_, order)
    return True


def take_role(connection: Connection, id_: UUID, role: Role, order: Order) -> bool:
    """Take a role, and with an overseer's what it oversees; returns whether the person had it.

    Raises:
        CorrectRequest: it is one's own account, or there is no such person.
    """
    person = _others(connection, id_, order)
    if role not in person.roles:
        return False
    _delete(connection, person, role, order)
    of_person(connection, order, Action.ACCOUNT_TAKE_ROLE, id_, role=role.value)
    return True


def set_oversight(connection: Connection, id_: UUID, departments: Iterable[str], order: Order) -> None:
    """Say which departments an overseer may look at; ``*`` is all of them.

    Raises:
        CorrectRequest: the person is no overseer, or it is one's own account, or there is no such person.
    """
    person = _others(connection, id_, order)
    wanted = sorted(frozenset(departments))
    if wanted and Role.OVERSEER not in person.roles:
        what = "only an overseer oversees departments"
        raise CorrectRequest(Problem("OVERSIGHT", "oversees", what, "give the role first"))
    replace_oversight(connection, id_, wanted)
    changed(connection, id_, order)
    facts = {"departments": ",".join(wanted)}
    of_person(connection, order, Action.ACCOUNT_SET_OVERSIGHT, id_, **facts)


def replace_roles(connection: Connection, person: Person, roles: frozenset[Role], order: Order) -> None:
    """Make a person's roles exactly these, which one person may hold; for who is told so by a directory."""
    for role in sorted(person.roles - roles):
        _delete(connection, person, role, order)
        of_person(connection, order, Action.ACCOUNT_TAKE_ROLE, person.id, role=role.value)
    for role in sorted(roles - person.roles):
        _insert(connection, person.id, role, order)
        of_person(connection, order, Action.ACCOUNT_GIVE_ROLE, person.id, role=role.value)


def replace_oversight(connection: Connection, id_: UUID, departments: Iterable[str]) -> None:
    """Write which departments a person oversees."""
    connection.execute(delete(OVERSIGHT).where(OVERSIGHT.c.person == id_))
    rows = [{"person": id_, "department": each} for each in departments]
    if rows:
        connection.execute(insert(OVERSIGHT), rows)


def _others(connection: Connection, id_: UUID, order: Order) -> Person:
    """The person, locked, who is somebody else than who asks."""
    problem = own_account_problem(order.by, id_)
    if problem is not None:
        raise CorrectRequest(problem)
    return lock_person(connection, id_)


def _insert(connection: Connection, id_: UUID, role: Role, order: Order) -> None:
    duty = DUTY_OF[role].value
    changed(connection, id_, order, duty=duty)
    values = {"person": id_, "role": role.value, "duty": duty, "given_at": order.now, "given_by": order.by}
    connection.execute(insert(ROLES).values(values))


def _delete(connection: Connection, person: Person, role: Role, order: Order) -> None:
    connection.execute(delete(ROLES).where(ROLES.c.person == person.id, ROLES.c.role == role.value))
    if role is Role.OVERSEER:
        replace_oversight(connection, person.id, ())
    left = connection.execute(ROLES.select().where(ROLES.c.person == person.id)).first()
    duty = None if left is None else left.duty
    changed(connection, person.id, order, duty=duty)
