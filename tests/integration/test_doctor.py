"""Doctor and watch on the real stack: a capture breaks, is restarted, is alarmed, and leaves an orphan."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from producers.connect_client import ConnectClient
from producers.connect_status import Health
from services.cli.plan import access_of
from services.cli.stack import ill_connectors
from services.control.definitions import load_definitions, packaged_definitions
from services.doctor.ask_transactions import open_transactions
from services.doctor.checkup import checkup
from services.doctor.finding import Finding, Level, Report
from services.doctor.patient import Patient
from services.stack.acls import WORKER_TOPICS
from services.stack.api import Stack, State
from services.stack.probes import loopback_session
from tests.integration.own_capture import TABLE, OwnCapture, eventually, own_capture
from tests.support.watching import start_watch, without_watch

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

HELD_S = 110.0
"""How long Kafka lets a transaction be held, which is longer than the test takes."""


@dataclass(frozen=True)
class Scene:
    """A capture of its own, which no definition names, and a watch that looks twice a second."""

    stack: Stack
    own: OwnCapture

    @property
    def connect(self) -> ConnectClient:
        return self.own.connect

    @property
    def connector(self) -> str:
        return self.own.connector

    @property
    def slot(self) -> str:
        return self.own.slot

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        return self.own.sql(statement)

    def slot_is(self, state: str) -> bool:
        query = f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{self.slot}' AND {state}"
        return bool(self.own.sql(query, "postgres"))

    def change(self) -> None:
        """Commit a change and make the connector read from where it is again."""
        self.sql("INSERT INTO item (name) VALUES ('x')")
        self.sql(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
            f" WHERE slot_name = '{self.slot}' AND active_pid IS NOT NULL"
        )

    def watched(self) -> dict[str, Any]:
        with loopback_session() as session:
            answer: dict[str, Any] = session.get(
                f"http://127.0.0.1:{self.stack.settings.watch_port}/status", timeout=5
            ).json()
            return answer

    def alarms(self) -> set[str]:
        return {alarm["kind"] for alarm in self.watched()["alarms"] if self.slot in alarm["subject"]}

    def doctor(self) -> Report:
        definitions = load_definitions(packaged_definitions())
        return checkup(Patient(self.stack, access_of(self.stack), definitions, tuple(self.stack.status())))

    def told(self, check: str, about: str) -> list[Finding]:
        return [each for each in self.doctor().findings if each.check == check and about in each.seen]

    def start_watch(self) -> None:
        start_watch(self.stack, interval_s="0.5", unread_alarm_s="4", idle_grace_s="8")


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    with own_capture(stack, "doctor", rows=0) as own, without_watch(stack):
        made = Scene(stack, own)
        own.start()
        eventually(lambda: made.connect.health(made.connector) is Health.RUNNING)
        made.start_watch()
        yield made


def test_a_capture_that_runs_is_well_and_everything_can_be_asked_in_time(scene: Scene) -> None:
    eventually(lambda: scene.slot_is("true"))
    report = scene.doctor()
    assert [each for each in report.findings if "cannot be checked" in each.seen] == []
    assert [each.level for each in report.findings if each.check == "version"] == [Level.OK] * 8
    assert [
        each.level for each in report.findings if each.check == "connector" and scene.connector in each.seen
    ] == [Level.OK]
    plain = [each for each in report.findings if each.check in {"wal_level", "secrets", "port"}]
    assert [each for each in plain if each.level is not Level.OK] == []
    # Generous: a machine that runs other tests at the same time is slower than one that does not.
    assert report.seconds < 20


def test_a_task_that_fails_is_told_with_its_cause_restarted_and_runs_again(scene: Scene) -> None:
    restarts = scene.watched()["restarts"]
    scene.sql(f"DROP PUBLICATION {scene.slot}")
    scene.change()
    eventually(lambda: scene.connect.status(scene.connector).has_failed)
    eventually(lambda: scene.watched()["restarts"] > restarts)
    # Restarted, it fails again: between two looks it may be running.
    (finding, *_) = eventually(
        lambda: [each for each in scene.told("connector", scene.connector) if each.level is Level.FAILURE]
    )
    assert "task 0 is FAILED" in finding.seen
    assert "publication" in finding.seen.lower()
    scene.sql(f"CREATE PUBLICATION {scene.slot} FOR TABLE {TABLE}")
    eventually(lambda: scene.connect.health(scene.connector) is Health.RUNNING)
    eventually(lambda: scene.slot_is("active"))


def test_a_task_that_only_says_it_runs_is_alarmed_by_its_slot(scene: Scene) -> None:
    scene.sql(f"ALTER ROLE {scene.own.role} NOREPLICATION")
    scene.change()
    eventually(lambda: "slot-unread" in scene.alarms())
    assert [each.level for each in scene.told("watch", scene.slot)] == [Level.FAILURE]
    assert [each.level for each in scene.told("slot", scene.slot)] == [Level.WARNING]
    scene.sql(f"ALTER ROLE {scene.own.role} REPLICATION")
    eventually(lambda: not scene.alarms())


@contextmanager
def offsets_held_up(stack: Stack) -> Iterator[None]:
    """A transaction on Connect's offsets that nobody ends: no connector that starts comes to their end."""
    holding = {"transactional.id": "test-holding", "transaction.timeout.ms": int(HELD_S * 1000)}
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


def test_a_connector_that_no_worker_runs_is_alarmed_restarted_and_told(scene: Scene) -> None:
    restarts = scene.watched()["restarts"]
    with offsets_held_up(scene.stack):
        scene.connect.restart(scene.connector)

        def idle() -> dict[str, Any] | None:
            alarms = [alarm for alarm in scene.watched()["alarms"] if alarm["kind"] == "connector-idle"]
            return next((alarm for alarm in alarms if alarm["subject"] == scene.connector), None)

        assert "being restarted" in eventually(idle)["remedy"]
        eventually(lambda: scene.watched()["restarts"] > restarts)
        assert Level.FAILURE in {each.level for each in scene.told("watch", scene.connector)}
        assert scene.connector in ill_connectors(scene.stack)
        # It is younger than that, when Kafka would end it, and has been there for more than a moment.
        for longest_s, overdue in ((HELD_S, False), (0.1, True)):
            found = open_transactions(AdminClient(scene.stack.kafka_config("doctor")), longest_s)
            held = [each.overdue for each in found if each.topic == "_connect-offsets"]
            assert held == [overdue] * WORKER_TOPICS["_connect-offsets"]
        said = eventually(lambda: (alarm := idle()) and "did not help" in alarm["detail"] and alarm)
        assert "govbus down and govbus up" in said["remedy"]
    eventually(lambda: scene.connect.health(scene.connector) is Health.RUNNING)
    eventually(lambda: idle() is None)
    assert ill_connectors(scene.stack) == ""


def test_the_slot_of_a_deleted_connector_is_alarmed_as_an_orphan_and_left_alone(scene: Scene) -> None:
    scene.connect.delete(scene.connector)
    eventually(lambda: "slot-orphaned" in scene.alarms())
    (finding,) = scene.told("slot", scene.slot)
    assert finding.level is Level.WARNING
    assert finding.remedy == f"SELECT pg_drop_replication_slot('{scene.slot}');"
    assert scene.slot_is("true")
    scene.sql(finding.remedy)
    eventually(lambda: not scene.alarms())


def test_a_secret_that_others_can_read_is_told_with_the_command_that_mends_it(scene: Scene) -> None:
    path = scene.stack.context.layout.connect_secrets / f"{scene.own.provider}.properties"
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
