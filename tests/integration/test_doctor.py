"""Doctor and watch on the real stack: a capture breaks, is restarted, is alarmed, and leaves an orphan."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AclOperation, AdminClient, NewTopic, ResourceType

from producers.connect_client import ConnectClient
from producers.connect_status import Health
from producers.connector import (
    CaptureDeclaration,
    ConnectEnvironment,
    TableName,
    capture_config,
    connector_name,
    read_template,
    slot_name,
)
from producers.provider_setup import setup_sql
from services.cli.plan import access_of
from services.cli.processes import watch
from services.cli.stack import ill_connectors
from services.control.acls import delete_acls, read_acls
from services.control.definitions import load_definitions, packaged_definitions
from services.doctor.ask_transactions import open_transactions
from services.doctor.checkup import checkup
from services.doctor.finding import Finding, Level, Report
from services.doctor.patient import Patient
from services.stack.acls import WORKER_TOPICS, allow, ensure_acls
from services.stack.api import Stack, State
from services.stack.probes import loopback_session
from services.stack.secret_files import write_private
from topics import names
from topics.event import ProviderId

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

# Offsets outlive a connector and fit no other slot: a name of its own for each run on the same stack.
PROBE = ProviderId(f"doctor_{os.getpid()}")
TABLE = TableName("public", "item")
SLOT = slot_name(PROBE)
CONNECTOR = connector_name(PROBE)
ROLE = "doctor_capture"


def eventually(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Return the condition's first true value; fail if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.2)


@dataclass(frozen=True)
class Scene:
    """A capture of its own, which no definition names, and a watch that looks twice a second."""

    stack: Stack
    connect: ConnectClient

    def sql(self, statement: str, database: str = PROBE) -> None:
        with closing(self.stack.superuser_connection(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def change(self) -> None:
        """Commit a change and make the connector read from where it is again."""
        self.sql("INSERT INTO item (name) VALUES ('x')")
        self.sql(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
            f" WHERE slot_name = '{SLOT}' AND active_pid IS NOT NULL",
            "postgres",
        )

    def watched(self) -> dict[str, Any]:
        with loopback_session() as session:
            answer: dict[str, Any] = session.get(
                f"http://127.0.0.1:{self.stack.settings.watch_port}/status", timeout=5
            ).json()
            return answer

    def alarms(self) -> set[str]:
        return {alarm["kind"] for alarm in self.watched()["alarms"] if SLOT in alarm["subject"]}

    def doctor(self) -> Report:
        definitions = load_definitions(packaged_definitions())
        return checkup(Patient(self.stack, access_of(self.stack), definitions, tuple(self.stack.status())))

    def told(self, check: str, about: str) -> list[Finding]:
        return [each for each in self.doctor().findings if each.check == check and about in each.seen]

    def start_watch(self) -> None:
        component = watch(self.stack.settings.watch_port)
        quick = {
            "GOVBUS_WATCH_INTERVAL_S": "0.5",
            "GOVBUS_WATCH_UNREAD_ALARM_S": "4",
            "GOVBUS_WATCH_IDLE_GRACE_S": "8",
        }
        self.stack.run_process(replace(component, settings={**(component.settings or {}), **quick}))

    def capture(self) -> None:
        folder = str(self.stack.context.layout.connect_secrets)
        endpoints = self.stack.endpoints()
        config = capture_config(
            read_template("debezium-postgres"),
            CaptureDeclaration(PROBE, "127.0.0.1", endpoints.postgres_port, PROBE, (TABLE,), 1, PROBE),
            ConnectEnvironment(folder, endpoints.kafka_bootstrap),
        )
        self.connect.put_config(CONNECTOR, config)
        eventually(lambda: self.connect.health(CONNECTOR) is Health.RUNNING)


def prepare_kafka(admin: AdminClient) -> None:
    raw = names.raw_captured(PROBE, TABLE.schema, TABLE.table)
    written = [raw, names.heartbeat(PROBE), names.notifications(PROBE)]
    read = [names.signal(PROBE)]
    for answer in admin.create_topics([NewTopic(topic, 1, 1) for topic in [*written, *read]]).values():
        answer.result(15)
    bindings = [
        each
        for topic in written
        for each in allow("connect", ResourceType.TOPIC, topic, [AclOperation.WRITE])
    ]
    bindings += allow("connect", ResourceType.TOPIC, read[0], [AclOperation.READ])
    bindings += allow("connect", ResourceType.GROUP, read[0], [AclOperation.READ])
    bindings += allow("doctor", ResourceType.TOPIC, names.heartbeat(PROBE), [AclOperation.READ])
    ensure_acls(admin, bindings)


def prepare_database(stack: Stack) -> None:
    password = "a-password-of-the-probe"
    stack.create_database(PROBE, "doctor_owner", "a-password-of-the-owner")
    with closing(stack.superuser_connection(PROBE)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE item (id bigserial PRIMARY KEY, name text)")
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD %s", (password,))
        cursor.execute(setup_sql(ROLE, PROBE, SLOT, [TABLE]))
    secrets = stack.context.layout.connect_secrets / f"{PROBE}.properties"
    write_private(secrets, f"user={ROLE}\npassword={password}\n")


def clean_up(scene: Scene, admin: AdminClient) -> None:
    """Leave the shared stack as it was: no connector, slot, database, role, topic, right or process."""
    scene.stack.stop_process("watch")
    scene.connect.delete(CONNECTOR)
    unread = f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"
    eventually(lambda: not _rows(scene.stack, unread))
    scene.sql(
        f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{SLOT}'"
    )
    scene.sql(f"DROP DATABASE {PROBE} WITH (FORCE)", "postgres")
    for role in (ROLE, "doctor_owner"):
        scene.sql(f"DROP ROLE {role}", "postgres")
    (scene.stack.context.layout.connect_secrets / f"{PROBE}.properties").unlink()
    delete_acls(admin, [acl for acl in read_acls(admin) if PROBE in acl.name])
    topics = [topic for topic in admin.list_topics(timeout=15).topics if PROBE in topic]
    for answer in admin.delete_topics(topics).values():
        answer.result(15)


def _rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    with closing(stack.superuser_connection()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    admin = stack.admin()
    prepare_kafka(admin)
    prepare_database(stack)
    client = ConnectClient(stack.endpoints().connect_url, *stack.connect_auth(), session=loopback_session())
    made = Scene(stack, client)
    try:
        made.capture()
        made.start_watch()
        yield made
    finally:
        clean_up(made, admin)


def test_a_capture_that_runs_is_well_and_everything_can_be_asked_in_time(scene: Scene) -> None:
    eventually(lambda: _rows(scene.stack, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}'"))
    report = scene.doctor()
    assert [each for each in report.findings if "cannot be checked" in each.seen] == []
    assert [each.level for each in report.findings if each.check == "version"] == [Level.OK] * 8
    assert [
        each.level for each in report.findings if each.check == "connector" and CONNECTOR in each.seen
    ] == [Level.OK]
    plain = [each for each in report.findings if each.check in {"wal_level", "secrets", "port"}]
    assert [each for each in plain if each.level is not Level.OK] == []
    # Generous: a machine that runs other tests at the same time is slower than one that does not.
    assert report.seconds < 20


def test_a_task_that_fails_is_told_with_its_cause_restarted_and_runs_again(scene: Scene) -> None:
    restarts = scene.watched()["restarts"]
    scene.sql(f"DROP PUBLICATION {SLOT}")
    scene.change()
    eventually(lambda: scene.connect.status(CONNECTOR).has_failed)
    eventually(lambda: scene.watched()["restarts"] > restarts)
    # Restarted, it fails again: between two looks it may be running.
    (finding, *_) = eventually(
        lambda: [each for each in scene.told("connector", CONNECTOR) if each.level is Level.FAILURE]
    )
    assert "task 0 is FAILED" in finding.seen
    assert "publication" in finding.seen.lower()
    scene.sql(f"CREATE PUBLICATION {SLOT} FOR TABLE {TABLE}")
    eventually(lambda: scene.connect.health(CONNECTOR) is Health.RUNNING)
    eventually(
        lambda: _rows(
            scene.stack, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"
        )
    )


def test_a_task_that_only_says_it_runs_is_alarmed_by_its_slot(scene: Scene) -> None:
    scene.sql(f"ALTER ROLE {ROLE} NOREPLICATION")
    scene.change()
    eventually(lambda: "slot-unread" in scene.alarms())
    assert [each.level for each in scene.told("watch", SLOT)] == [Level.FAILURE]
    assert [each.level for each in scene.told("slot", SLOT)] == [Level.WARNING]
    scene.sql(f"ALTER ROLE {ROLE} REPLICATION")
    eventually(lambda: not scene.alarms())


@contextmanager
def offsets_held_up(stack: Stack) -> Iterator[None]:
    """A transaction on Connect's offsets that nobody ends: no connector that starts comes to their end."""
    holding = {"transactional.id": f"test-{PROBE}", "transaction.timeout.ms": 110_000}
    producer = Producer(stack.kafka_config("admin") | holding)
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in range(WORKER_TOPICS["_connect-offsets"]):
        producer.produce("_connect-offsets", key=b'["held-up",{}]', value=b"{}", partition=partition)
    assert producer.flush(30) == 0
    try:
        yield
    finally:
        # On a slow machine Kafka may have ended it already.
        with suppress(KafkaException):
            producer.abort_transaction(30)


@pytest.mark.soak
def test_a_connector_that_no_worker_runs_is_alarmed_restarted_and_told(scene: Scene) -> None:
    restarts = scene.watched()["restarts"]
    with offsets_held_up(scene.stack):
        scene.connect.restart(CONNECTOR)

        def idle() -> dict[str, Any] | None:
            alarms = [alarm for alarm in scene.watched()["alarms"] if alarm["kind"] == "connector-idle"]
            return next((alarm for alarm in alarms if alarm["subject"] == CONNECTOR), None)

        assert "being restarted" in eventually(idle)["remedy"]
        eventually(lambda: scene.watched()["restarts"] > restarts)
        assert Level.FAILURE in {each.level for each in scene.told("watch", CONNECTOR)}
        assert CONNECTOR in ill_connectors(scene.stack)
        # It is younger than 110 s, when Kafka would end it, and has been there for more than a moment.
        for longest_s, overdue in ((110.0, False), (0.1, True)):
            found = open_transactions(AdminClient(scene.stack.kafka_config("doctor")), longest_s)
            held = [each.overdue for each in found if each.topic == "_connect-offsets"]
            assert held == [overdue] * WORKER_TOPICS["_connect-offsets"]
        said = eventually(lambda: (alarm := idle()) and "did not help" in alarm["detail"] and alarm)
        assert "govbus down and govbus up" in said["remedy"]
    eventually(lambda: scene.connect.health(CONNECTOR) is Health.RUNNING)
    eventually(lambda: idle() is None)
    assert ill_connectors(scene.stack) == ""


def test_the_slot_of_a_deleted_connector_is_alarmed_as_an_orphan_and_left_alone(scene: Scene) -> None:
    scene.connect.delete(CONNECTOR)
    eventually(lambda: "slot-orphaned" in scene.alarms())
    (finding,) = scene.told("slot", SLOT)
    assert finding.level is Level.WARNING
    assert finding.remedy == f"SELECT pg_drop_replication_slot('{SLOT}');"
    assert _rows(scene.stack, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}'")
    scene.sql(finding.remedy)
    eventually(lambda: not scene.alarms())


def test_a_secret_that_others_can_read_is_told_with_the_command_that_mends_it(scene: Scene) -> None:
    path = scene.stack.context.layout.connect_secrets / f"{PROBE}.properties"
    path.chmod(0o644)
    try:
        (finding,) = scene.told("secrets", str(path))
        assert (finding.level, finding.remedy) == (Level.FAILURE, f"chmod go-rwx {path}")
    finally:
        path.chmod(0o600)


def test_a_crashed_process_is_a_failure_and_a_stopped_watch_ends_cleanly(scene: Scene) -> None:
    (status,) = [each for each in scene.stack.status() if each.name == "watch"]
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    eventually(lambda: [e for e in scene.stack.status() if e.name == "watch" and e.state is State.CRASHED])
    (finding,) = scene.told("process", "watch")
    assert (finding.level, finding.seen) == (Level.FAILURE, "watch crashed")
    scene.start_watch()
    begin = time.monotonic()
    scene.stack.stop_process("watch")
    assert time.monotonic() - begin < 15
    log = list(scene.stack.logs("watch", lines=1))
    assert '"event": "watch-stopped"' in log[0]
