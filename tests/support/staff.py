"""Accounts as which commands act: departments of the sample city, people in them with roles, no passwords."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import add_department, department_of
from services.control.store.accounts.persons import add_person, lock_person
from services.control.store.accounts.roles import give_role
from services.control.store.ids import new_id
from tests.support.web import CONSOLE, CONTACTS, DEPARTMENTS, credit_code

ARCHIVES: Final = Department("archives", "档案局", "Archives Bureau", credit_code("01409009"), CONTACTS)


def settle(connection: Connection) -> None:
    """The departments, without anybody in them; those that are there stay."""
    for each in (*DEPARTMENTS, ARCHIVES):
        if department_of(connection, each.id) is None:
            add_department(connection, each, CONSOLE)


def hire(connection: Connection, login: str, department: str, *roles: Role) -> Person:
    """An account with roles, in a department that is there."""
    person = Person(new_id(datetime.now(UTC)), login, login, department)
    order = Order("console:test", datetime.now(UTC))
    add_person(connection, person, order)
    for role in roles:
        give_role(connection, person.id, role, order)
    return lock_person(connection, person.id)


def staffed(connection: Connection) -> dict[str, Person]:
    """The departments, and somebody in each role that decides or asks, by login name."""
    settle(connection)
    posts = (
        ("wang", "police", Role.PROVIDER),
        ("chen", "health", Role.CONSUMER),
        ("qian", "archives", Role.CONSUMER),
        ("sun", "tax", Role.PROVIDER),
        ("li", "data_bureau", Role.AUTHORITY),
        ("zhao", "data_bureau", Role.OPERATOR),
    )
    return {login: hire(connection, login, department, role) for login, department, role in posts}
