"""From a change at a source to a row in a department's own database: applied, suspended, taken away."""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import pytest

from producers.connect_client import ConnectClient
from producers.connect_status import Health
from services.cli.plan import access_of
from services.control.applied import Applied
from services.control.comparison import compare
from services.control.definitions import Definitions
from services.stack.secret_files import write_private
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import delete, insert, number, update
from tests.e2e.test_policy import changed
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.sink import Sink

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

HEALTH = GrantId("health-persons-gusu")
NAME = "sink.health-persons-gusu"
DATABASE, ROLE = "health_copy", "health_writer"


@dataclass
class Clinic:
    """The Health Commission's own database, and the sink that is declared for it."""

    city: LiveCity
    definitions: Definitions
    connect: ConnectClient
    password: str

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """As the owner of the database, who is also the role that the sink writes as."""
        endpoints = self.city.stack.endpoints()
        where = f"host={endpoints.postgres_host} port={endpoints.postgres_port} dbname={DATABASE} user={ROLE}"
        with closing(psycopg2.connect(where, password=self.password)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def rows(self) -> dict[str, str]:
        """Pseudonym → name."""
        return {str(key): str(name) for key, name in self.sql("SELECT pseudonym, name FROM person")}

    def delivered(self) -> dict[str, str]:
        """The same as a reader of the grant's topic has it."""
        state = self.city.granted(HEALTH)
        return {
            json.loads(key)["pseudonym"]: value["name"] for key, value in state.items() if value is not None
        }

    def in_step(self) -> bool:
        return self.rows() == self.delivered()

    def is_gone(self) -> bool:
        """Connect still tells for a moment how a connector was that it has deleted."""
        return self.connect.health(NAME) is Health.MISSING

    def apply(self, definitions: Definitions | None = None) -> Applied:
        return self.city.apply(definitions or self.definitions)

    def steps(self) -> int:
        access = access_of(self.city.stack)
        return len(compare(access, access.admin(), self.definitions).plan.steps)


@pytest.fixture(scope="module")
def clinic(city: LiveCity) -> Iterator[Clinic]:
    password = secrets.token_hex(12)
    city.stack.create_database(DATABASE, ROLE, password)
    path = city.stack.context.layout.connect_secrets / f"{DATABASE}.properties"
    write_private(path, f"user={ROLE}\npassword={password}\n")
    sink = Sink(grant=HEALTH, database=DATABASE, table="public.person")
    definitions = replace(city.definitions, sinks={HEALTH: sink})
    found = Clinic(city, definitions, access_of(city.stack).connect(), password)
    yield found
    city.apply(city.definitions)
    path.unlink()


def test_apply_asks_for_the_table_and_then_copies_the_whole_grant(city: LiveCity, clinic: Clinic) -> None:
    held_back = clinic.apply().held_back
    assert set(held_back) == {NAME}
    assert clinic.is_gone()
    for problem in held_back[NAME]:
        clinic.sql(problem["remedy"])
    assert clinic.apply().connectors == {NAME: "created"}
    city.settle()
    wait_until(clinic.in_step, "the whole grant to be copied")
    assert clinic.delivered()
    assert clinic.steps() == 0
    assert clinic.apply().connectors == {}


@pytest.mark.requirement("A7-06")
def test_every_change_at_the_source_reaches_the_department_s_table(city: LiveCity, clinic: Clinic) -> None:
    first, second = city.new_id(), city.new_id()
    city.execute("police", insert(first, number(first % 90_000), name="先来"))
    city.execute("police", insert(second, number(second % 90_000), name="后到"))
    city.settle()
    wait_until(lambda: {"先来", "后到"} <= set(clinic.rows().values()), "two new rows")
    city.execute("police", update(first, name="改名"), delete(second))
    city.settle()
    wait_until(clinic.in_step, "the change and the deletion")
    names = set(clinic.rows().values())
    assert "改名" in names
    assert not {"先来", "后到"} & names


@pytest.mark.requirement("A8-05")
def test_a_suspended_grant_takes_its_sink_away_and_a_resumed_one_brings_it_back(
    city: LiveCity, clinic: Clinic
) -> None:
    login = city.stack.context.layout.connect_secrets / "consumer-health.properties"
    assert login.exists()
    before = clinic.rows()
    suspended = clinic.apply(changed(clinic.definitions, HEALTH, state=GrantState.SUSPENDED))
    assert suspended.connectors == {NAME: "deleted"}
    wait_until(clinic.is_gone, "the sink to be gone")
    assert not login.exists()
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="停用期间"))
    city.settle()
    assert clinic.rows() == before
    assert clinic.apply().connectors == {NAME: "created"}
    city.settle()
    wait_until(lambda: "停用期间" in set(clinic.rows().values()), "what came while the grant was suspended")
    wait_until(clinic.in_step, "the table to be in step again")


def test_a_sink_that_nobody_declares_any_more_is_deleted_and_its_rows_stay(
    city: LiveCity, clinic: Clinic
) -> None:
    clinic.apply()
    rows = clinic.rows()
    assert clinic.apply(city.definitions).connectors == {NAME: "deleted"}
    wait_until(clinic.is_gone, "the sink to be gone")
    assert clinic.rows() == rows
    assert city.balance()["closed"] is True
