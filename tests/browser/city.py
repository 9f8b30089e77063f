"""The sample city in a real database, with a portal process in front of it and people who can log in."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import requests
from sqlalchemy import Connection

from services.control.accounts.hashing import Hasher
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.catalogue.drafting import drafts
from services.control.catalogue.entry import Contact, Contacts, Entry
from services.control.catalogue.lifecycle import Action, Actor
from services.control.catalogue.lifecycle import Role as EntryRole
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.register import load_register
from services.control.clocks.calendar import civil_day
from services.control.clocks.merge import merge
from services.control.definitions import load_definitions, packaged_definitions
from services.control.docket.bound import bound
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import add_department
from services.control.store.accounts.passwords import set_own
from services.control.store.accounts.persons import add_person
from services.control.store.accounts.roles import give_role
from services.control.store.cases.policies import adopt
from services.control.store.catalogue.dossiers import Stored, by_code
from services.control.store.catalogue.loading import Loaded, Loading, load
from services.control.store.catalogue.steps import Asked, take_step
from services.control.store.clocks.packs import read_packs
from services.control.store.database import URL_VARIABLE, ControlDatabase
from services.control.store.ids import new_id
from services.control.store.prepare import prepare
from services.control.store.reconciliations.proofs import keep
from services.control.store.snapshots import Kind, put
from tests.database_fixture import DatabaseOnly
from tests.support.ports import free_ports
from tests.support.volumes import epoch, proof, volume_document
from tests.support.web import credit_code

PASSWORD: Final = "Kiefer-97-Wolke"
CONSOLE: Final = "console:test"
PEOPLE: Final = (
    ("chen.jing", "陈静", "health", (Role.CONSUMER,)),
    ("wang.li", "王丽", "police", (Role.PROVIDER,)),
    ("li.qiang", "李强", "data_bureau", (Role.AUTHORITY,)),
    ("zhao.min", "赵敏", "data_bureau", (Role.OPERATOR,)),
    ("sun.bo", "孙博", "data_bureau", (Role.AUDITOR,)),
)
_CONTACTS: Final = Contacts(
    Contact("周建国", "0512-101"), Contact("吴敏", "0512-102"), Contact("郑晓", "0512-103")
)
_OTHERS: Final = (
    Department("health", "卫健委", "Health Commission", credit_code("01408500"), _CONTACTS),
    Department("data_bureau", "数据局", "Data Bureau", credit_code("01409001"), _CONTACTS),
)
_PACKS: Final = ("national-2025", "yanjin-2019")
_STARTS_WITHIN_S: Final = 60
_STOPS_WITHIN_S: Final = 20


def settle(database: ControlDatabase) -> None:
    """Departments, people, a policy and the published entries of the sample city."""
    now = datetime.now(UTC)
    prepare(database, now)
    folder = packaged_definitions()
    definitions, register = load_definitions(folder), load_register(folder)
    order, hashed = Order(CONSOLE, now), Hasher().hash(PASSWORD, os.urandom)
    with database.begin() as connection:
        for id_, known in register.departments.items():
            titles = definitions.providers[id_].titles
            found = Department(id_, titles.zh, titles.en, known.credit_code, known.contacts)
            add_department(connection, found, order)
        for department in _OTHERS:
            add_department(connection, department, order)
        for number, (login, name, department_id, roles) in enumerate(PEOPLE, start=1):
            person = Person(UUID(int=number), login, name, department_id)
            add_person(connection, person, order)
            for role in roles:
                give_role(connection, person.id, role, order)
            set_own(connection, person.id, hashed, Order(str(person.id), now))
        packs = read_packs(connection)
        merged = merge([packs[each] for each in _PACKS], civil_day(now))
        adopt(connection, bound(merged, ("data_bureau",)), CONSOLE, now, "for a test")
        entries = tuple(drafts(definitions, register))
        loaded = load(connection, entries, Loading("importer", now, "for a test", CatalogueRules(), new_id))
        assert isinstance(loaded, Loaded), loaded
        for entry in entries:
            _publish(connection, entry, now)
        _compare(connection, now)


def _compare(connection: Connection, now: datetime) -> None:
    """A full volume that waits for the operator, one before it, and two comparisons with the source."""
    seen = {"population.person.v1": volume_document(epochs=[epoch(2, "waiting"), epoch(1, "ended")])}
    put(connection, Kind.EPOCH, seen, now)
    keep(connection, proof(at=now - timedelta(days=1)))
    keep(connection, proof({"lost": 2, "extra": 1}, at=now))


def _publish(connection: Connection, entry: Entry, now: datetime) -> None:
    clerk = Actor("importer", EntryRole.PROVIDER, entry.provider.credit_code)
    reviewer = Actor("reviewer", EntryRole.AUTHORITY, "")
    for action, who in (
        (Action.SUBMIT, clerk),
        (Action.REGISTER, reviewer),
        (Action.REQUEST_PUBLICATION, clerk),
        (Action.PUBLISH, reviewer),
    ):
        assert entry.code is not None
        stored = by_code(connection, entry.code)
        assert stored is not None
        taken = take_step(connection, stored, action, Asked(who, now, "for a test"), CatalogueRules())
        assert isinstance(taken, Stored), taken


@contextmanager
def portal_process(server: DatabaseOnly, database: str, log: Path) -> Iterator[str]:
    """The address of a portal that runs as a process of its own over this database."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    settings = server.settings
    environment = {
        **os.environ,
        "GOVBUS_HOME": str(settings.home),
        "GOVBUS_CACHE": str(settings.cache),
        "GOVBUS_POSTGRES_PORT": str(settings.postgres_port),
        URL_VARIABLE: server.address(database).url,
        "GOVBUS_PORTAL_PORT": str(port),
        "GOVBUS_PORTAL_ORIGIN": address,
    }
    with log.open("wb") as output:
        command = [sys.executable, "-m", "services.portal"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, address, log)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{address}/readyz", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"the portal does not answer:\n{log.read_text(errors='replace')[-3000:]}")
