"""A department and a person in a real database, and a weak hash so that tests are quick."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.hashing import Hasher, Strength
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.catalogue.entry import Contact, Contacts
from services.control.signing_in.local import LocalLogins
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import add_department
from services.control.store.accounts.passwords import set_own
from services.control.store.accounts.persons import add_person, lock_person
from services.control.store.accounts.roles import give_role
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONTACTS = Contacts(Contact("周建国", "0512-101"), Contact("吴敏", "0512-102"), Contact("郑晓", "0512-103"))
POLICE = Department("police", "公安局", "Police", "113205000140832149", CONTACTS)
TAX = Department("tax", "税务局", "Tax Bureau", "11320500014083564F", CONTACTS)
WANG = Person(UUID(int=1), "wang.li", "王丽", "police")
PASSWORD = "Kiefer-97-Wolke"
HASHER = Hasher(Strength(memory_kib=64, passes=1))
RANDOM = Random(7).randbytes  # noqa: S311 - a test wants the same each time


def order(by: str = "console:test", after: timedelta = timedelta(0), why: str = "") -> Order:
    return Order(by, NOW + after, why)


def settle(connection: Connection) -> None:
    """Two departments, without anybody in them."""
    for each in (POLICE, TAX):
        add_department(connection, each, order())


def hire(connection: Connection, *roles: Role, person: Person = WANG) -> Person:
    """A person with roles and a password of his own."""
    add_person(connection, person, order())
    for role in roles:
        give_role(connection, person.id, role, order())
    set_own(connection, person.id, HASHER.hash(PASSWORD, RANDOM), order(str(person.id)))
    return lock_person(connection, person.id)


def another(number: int, login: str, department: str = "police") -> Person:
    return replace(WANG, id=UUID(int=number), login=login, department=department)


def logins(database: ControlDatabase) -> LocalLogins:
    return LocalLogins(database, HASHER, RANDOM)


def acts(connection: Connection, person: Person, kind: str = "account") -> list[str]:
    """What the ledger is owed of a person's account."""
    return [act.what for act in acts_on(connection, kind, str(person.id))]
