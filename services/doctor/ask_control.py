"""Asks the control plane's database whether its tables are as they should be, and when credentials end."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Final

from services.control.kafka_topics import read_topics
from services.control.policy_topic import newest_policy
from services.control.store.database import Address, ControlDatabase
from services.control.store.errors import StoreError
from services.control.store.migrate import Standing, current
from services.control.store.provisioning import credentials
from services.control.store.snapshots import Kind, all_of
from services.doctor.credentials import judge_credentials
from services.doctor.drift import judge_drift
from services.doctor.finding import Finding, failure, note, ok
from services.doctor.patient import Patient
from services.doctor.retention import judge_retention
from services.stack.api import State
from services.stack.postgres import APPLICATION, CONTROL, DOCTOR, DOCTOR_SECRET

CHECK: Final = "control plane"
ROLES: Final = "control plane roles"


def ask_tables(patient: Patient) -> list[Finding]:
    """How far the tables are migrated."""
    try:
        with _control(patient) as database:
            schema = current(database)
    except StoreError as error:
        return [failure(CHECK, str(error), "govbus up")]
    seen = f"tables at {schema.found or 'nothing'}, this program needs {schema.wanted}"
    match schema.standing:
        case Standing.CURRENT:
            return [ok(CHECK, seen)]
        case Standing.BEHIND if schema.found is None:
            return [note(CHECK, "the control plane has no tables yet", "govbus database migrate")]
        case Standing.BEHIND:
            return [failure(CHECK, seen, "govbus database migrate")]
        case Standing.NEWER:
            return [failure(CHECK, f"{seen}: a newer govbus has migrated them", "install that govbus again")]


def ask_drift(patient: Patient) -> list[Finding]:
    """Where the bus was seen to differ from the cases, as the control process keeps it."""
    with _control(patient) as database:
        if current(database).standing is not Standing.CURRENT:
            return []
        with database.reading() as connection:
            return judge_drift(all_of(connection, Kind.DRIFT))


def ask_retention(patient: Patient) -> list[Finding]:
    """For how long the broker keeps evidence, against the floor that the control process last saw."""
    with _control(patient) as database:
        if current(database).standing is not Standing.CURRENT:
            return []
        with database.reading() as connection:
            seen = all_of(connection, Kind.RETENTION)
    return judge_retention(read_topics(patient.admin), seen)


def ask_credentials(patient: Patient) -> list[Finding]:
    """When departments' credentials end, and what is read with them; the doctor sees dates and no secret."""
    with _control(patient) as database:
        if current(database).standing is not Standing.CURRENT:
            return []
        with database.reading() as connection:
            newest = credentials.listed(connection)
    runs = patient.states.get("kafka") is State.RUNNING
    policy = newest_policy(patient.kafka_config) if runs and newest else None
    return judge_credentials(newest, policy, datetime.now(UTC))


@contextmanager
def _control(patient: Patient) -> Iterator[ControlDatabase]:
    """The control plane's database, as the doctor sees it, who may read nothing else of it."""
    endpoints, file = patient.stack.endpoints(), patient.stack.context.secrets.path(DOCTOR_SECRET)
    address = Address.at(endpoints.postgres_host, endpoints.postgres_port, CONTROL, DOCTOR, file)
    database = ControlDatabase(address, program="govbus doctor")
    try:
        yield database
    finally:
        database.close()


def ask_application(patient: Patient) -> list[Finding]:
    """Whether who runs the control plane owns nothing of it: an owner may change what a table proves."""
    with closing(patient.stack.doctor_connection()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolbypassrls OR pg_has_role(oid, %s, 'MEMBER')"
            " FROM pg_roles WHERE rolname = %s",
            (CONTROL, APPLICATION),
        )
        row = cursor.fetchone()
    if row is None:
        return [note(ROLES, f"there is no login {APPLICATION}: what runs logs in as the owner", "govbus up")]
    if row[0]:
        what = f"the login {APPLICATION} could change the tables that it works with"
        return [failure(ROLES, what, "take its memberships and attributes away")]
    return [ok(ROLES, f"{APPLICATION} owns nothing, {CONTROL} owns the tables")]
