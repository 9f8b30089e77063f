"""Who runs the control plane owns nothing of it, and can neither change nor remove what happened."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import text

from services.control.process.address import As, stack_address
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import Act, Channel, append, mark_sent, pending
from services.control.store.provisioning import credentials
from services.doctor.ask_control import ask_application, ask_credentials
from services.doctor.finding import Level
from services.doctor.patient import Patient
from tests.database_fixture import DatabaseOnly
from topics.event import ConsumerId

WHEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ACT = Act("account-7", "case.approve", "case", "42", WHEN)


@pytest.fixture
def application(
    control_database: ControlDatabase, database_server: DatabaseOnly
) -> Iterator[ControlDatabase]:
    """The same database, as those who work with it."""
    del control_database
    with closing(ControlDatabase(stack_address(database_server, As.APPLICATION))) as found:
        yield found


def test_the_application_reads_and_writes_rows(application: ControlDatabase) -> None:
    with application.begin() as connection:
        append(connection, ACT)
        (entry,) = pending(connection, Channel.LEDGER)
        mark_sent(connection, [entry.id], WHEN)
        assert pending(connection, Channel.LEDGER) == []


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM outbox",
        "UPDATE outbox SET who = 'nobody'",
        "TRUNCATE outbox",
        "DROP TABLE outbox",
        "ALTER TABLE outbox DISABLE TRIGGER ALL",
        "CREATE TABLE mine (n integer)",
        "UPDATE case_events SET action = action",
        "DELETE FROM case_events",
        "DELETE FROM ticket_events",
        "DELETE FROM need_events",
        "UPDATE schema_version SET version_num = '9999'",
    ],
)
def test_the_application_cannot_change_what_happened_nor_the_tables(
    application: ControlDatabase, statement: str
) -> None:
    refused = pytest.raises(Exception, match=r"permission denied|must be owner")
    with refused, application.begin() as connection:
        connection.execute(text(statement))


def test_the_doctor_says_that_the_application_owns_nothing(
    control_database: ControlDatabase, database_server: DatabaseOnly
) -> None:
    del control_database
    patient = cast(Patient, SimpleNamespace(stack=database_server))
    (found,) = ask_application(patient)
    assert found.level is Level.OK
    with closing(database_server.superuser_connection()) as connection, connection:
        connection.cursor().execute("GRANT control TO control_app")
    try:
        (found,) = ask_application(patient)
        assert found.level is Level.FAILURE
    finally:
        with closing(database_server.superuser_connection()) as connection, connection:
            connection.cursor().execute("REVOKE control FROM control_app")


def test_the_doctor_tells_which_credentials_end_soon_by_its_own_login(
    control_database: ControlDatabase, database_server: DatabaseOnly
) -> None:
    now = datetime.now(UTC)
    issued = now - timedelta(days=175)
    with control_database.begin() as connection:
        for consumer, until in (("health", now + timedelta(days=5)), ("tax", now - timedelta(days=1))):
            credentials.enter(connection, ConsumerId(consumer), issued, until)
    patient = cast(Patient, SimpleNamespace(stack=database_server, states={}))
    found = {each.level: (each.seen.partition(":")[0], each.remedy) for each in ask_credentials(patient)}
    assert found == {
        Level.WARNING: ("health, version 1", "govbus credential rotate health"),
        Level.FAILURE: ("tax, version 1", "govbus credential rotate tax"),
    }


def test_one_process_is_at_a_task_at_a_time(control_database: ControlDatabase) -> None:
    with (
        control_database.alone(Task.CASES) as first,
        control_database.alone(Task.CASES) as second,
        control_database.alone(Task.GRANTS) as other,
    ):
        assert (first, second, other) == (True, False, True)
    with control_database.alone(Task.CASES) as again:
        assert again
