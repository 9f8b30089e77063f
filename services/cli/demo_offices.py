"""Opens the offices of the sample city in the control plane: departments, policy, catalogue, accounts.

All of it may be done again: what is there stays as it is, and an account that is there keeps its password.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from services.cli.account_console import told
from services.cli.bus import console_account
from services.cli.demo_waiting import DemoStuck
from services.control.access import Access
from services.control.accounts.hashing import Hasher
from services.control.accounts.passwords import first_password
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.catalogue.drafting import drafts
from services.control.catalogue.entry import Contact, Contacts, Entry
from services.control.catalogue.lifecycle import Action, Actor, Refused
from services.control.catalogue.lifecycle import Role as CatalogueRole
from services.control.catalogue.register import load_register
from services.control.clocks.calendar import civil_day
from services.control.clocks.merge import merge
from services.control.definitions import Definitions, packaged_definitions
from services.control.desk.catalogued import PublishedEntries, StoredCalendars
from services.control.desk.desk import Desk
from services.control.docket.bound import bound
from services.control.provisioning.importing import Import, ImportOvertaken, ImportRefused
from services.control.settings import ApplySettings
from services.control.store.accounts import departments, passwords, persons, roles
from services.control.store.accounts.acts import Order
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.policies import adopt, adopted
from services.control.store.catalogue.accepting import rules_now
from services.control.store.catalogue.dossiers import by_codes
from services.control.store.catalogue.loading import Loading, NotLoaded, load
from services.control.store.catalogue.steps import Asked, take_step
from services.control.store.clocks.packs import read_packs
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import Act, append
from services.control.suspension.kafka_bus import KafkaBus
from services.demo.offices import AUTHORITY, POLICY_PACKS, DemoAccount, NamedPerson, Office, offices

_PROVIDER_WORD: Final = "demo:provider"
_AUTHORITY_WORD: Final = "demo:authority"
_WHY: Final = "the sample city opens its offices"
_STEPS: Final = (
    (Action.SUBMIT, CatalogueRole.PROVIDER),
    (Action.REGISTER, CatalogueRole.AUTHORITY),
    (Action.REQUEST_PUBLICATION, CatalogueRole.PROVIDER),
    (Action.PUBLISH, CatalogueRole.AUTHORITY),
)


@dataclass(frozen=True, slots=True)
class PortalAccount:
    """An account for the portal; the password is None where the account was there before."""

    login: str
    department: str
    role: str
    password: str | None = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """For ``govbus demo --json``."""
        return {
            "login": self.login,
            "department": self.department,
            "role": self.role,
            "password": self.password,
        }


def open_offices(
    database: ControlDatabase, definitions: Definitions, now: datetime, *, audited: bool = False
) -> tuple[PortalAccount, ...]:
    """Make everything that is missing, and give the accounts back.

    Args:
        database: the control plane's.
        definitions: the sample city's.
        now: when.
        audited: whether there are auditors and an operator, too.

    Raises:
        DemoStuck: the sample city's catalogue is refused.
        StoreError: the database does not serve.
    """
    order = Order(console_account(), now, _WHY)
    with told(), database.begin() as connection:
        for department in departments_of(definitions):
            if departments.department_of(connection, department.id) is None:
                departments.add_department(connection, department, order)
    with database.begin() as connection:
        _adopt(connection, now)
    with database.begin() as connection:
        _publish(connection, definitions, now)
    wanted = offices()
    accounts = (*wanted.accounts, *wanted.audit) if audited else wanted.accounts
    return tuple(_account(database, each, order) for each in accounts)


def hand_over_grants(
    access: Access, database: ControlDatabase, definitions: Definitions, now: datetime
) -> int:
    """Make cases of the declared grants, unless cases decide already; return how many were made.

    Raises:
        DemoStuck: something is against it.
        StoreError, KafkaException: database or broker do not serve.
    """
    desk = Desk(PublishedEntries(definitions), StoredCalendars(), GrantOutbox())
    bus = KafkaBus(access, access.admin(), ApplySettings.from_environment())
    order = Import(database, desk, bus, new_id, console_account(), _WHY, now)
    try:
        return len(order.run().cases)
    except (ImportRefused, ImportOvertaken) as error:
        raise DemoStuck(f"the grants of the sample city cannot be handed over to cases: {error}") from error


def departments_of(definitions: Definitions) -> Iterator[Department]:
    """Those of the catalogue, and those that it does not describe."""
    register = load_register(packaged_definitions()).departments
    for id_, provider in definitions.providers.items():
        if id_ in register:
            said, titles = register[id_], provider.titles
            yield Department(str(id_), titles.zh, titles.en, said.credit_code, said.contacts)
    for office in offices().departments:
        yield Department(office.id, office.zh, office.en, office.credit_code, _contacts(office))


def _contacts(office: Office) -> Contacts:
    return Contacts(_contact(office.head), _contact(office.deputy), _contact(office.clerk))


def _contact(person: NamedPerson) -> Contact:
    return Contact(person.name, person.phone)


def _adopt(connection: Connection, now: datetime) -> None:
    """Bind cases to the sample city's packs, unless somebody has bound them to others."""
    if adopted(connection) is not None:
        return
    packs = read_packs(connection)
    policy = bound(merge([packs[name] for name in POLICY_PACKS], civil_day(now)), (AUTHORITY,))
    done = adopt(connection, policy, console_account(), now, _WHY)
    facts = {"number": done.number}
    append(connection, Act(console_account(), "policy.adopt", "case-policy", done.digest, now, facts=facts))


def _publish(connection: Connection, definitions: Definitions, now: datetime) -> None:
    """Take the entries that the catalogue does not know through their whole life."""
    entries = tuple(drafts(definitions, load_register(packaged_definitions())))
    known = by_codes(connection, [entry.code for entry in entries if entry.code is not None])
    fresh = [entry for entry in entries if str(entry.code) not in known]
    rules = rules_now(connection)
    loaded = load(connection, fresh, Loading(_PROVIDER_WORD, now, _WHY, rules, new_id))
    if isinstance(loaded, NotLoaded):
        raise DemoStuck(f"the sample city's catalogue is refused: {loaded.clashes[0]}")
    for entry in fresh:
        for action, role in _STEPS:
            _step(connection, entry, action, role, now)


def _step(connection: Connection, entry: Entry, action: Action, role: CatalogueRole, now: datetime) -> None:
    provides = role is CatalogueRole.PROVIDER
    code = entry.provider.credit_code if provides else _authority().credit_code
    actor = Actor(_PROVIDER_WORD if provides else _AUTHORITY_WORD, role, code)
    stored = by_codes(connection, [entry.code] if entry.code is not None else [])[str(entry.code)]
    after = take_step(connection, stored, action, Asked(actor, now, _WHY), rules_now(connection))
    if isinstance(after, Refused):
        raise DemoStuck(f"entry {entry.code}: {action.value} is refused: {after.refusal.value}")


def _authority() -> Office:
    return next(office for office in offices().departments if office.id == AUTHORITY)


def _account(database: ControlDatabase, wanted: DemoAccount, order: Order) -> PortalAccount:
    """The account; a new one gets a password that is shown once and need not be changed."""
    with told(), database.begin() as connection:
        password = None
        if persons.person_by_login(connection, wanted.login) is None:
            person = Person(new_id(order.now), wanted.login, wanted.name, wanted.department)
            persons.add_person(connection, person, order)
            roles.give_role(connection, person.id, Role(wanted.role), order)
            password = first_password(secrets.token_bytes)
            # Drawn by chance and long: to change it at once would make it no better.
            hashed = Hasher().hash(password, secrets.token_bytes)
            passwords.set_first(connection, person.id, hashed, order)
            persons.changed(connection, person.id, order, must_change_password=False)
    return PortalAccount(wanted.login, wanted.department, wanted.role, password)
