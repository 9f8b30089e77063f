"""A department reads the real bus with the rights that apply gives it: our SDK, and Kafka's own client."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.errors import AccessRevoked, FellBehind
from consumers.received import Received
from consumers.sqlite_table import SqliteTable
from services.control.kafka_topics import alter_topics
from services.control.rights import grant_rights
from services.stack.api import Stack
from services.stack.java import environment, runtime
from tests.contract.subscribing import VALUE_SCHEMA, encoded
from tests.integration.department import Department, never_met, parked_records, set_up, until
from tests.integration.stack_checks import logs_in
from tests.support.waiting import eventually
from topics.event import TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def department(stack: Stack, tmp_path: Path) -> Iterator[Department]:
    """A department of its own for each test, so that no test sees another's records."""
    made = set_up(stack, tmp_path, uuid.uuid4().hex[:10])
    yield made
    made.fanout.flush(10)


def keep_in_step(department: Department, table: SqliteTable, count: int) -> None:
    """Handle exactly that many records."""
    with department.subscriber(table.apply, positions=table.positions) as subscriber:
        subscriber.run(until(lambda: subscriber.applied + subscriber.outdated >= count))
        assert subscriber.applied + subscriber.outdated == count


@pytest.mark.requirement("A7-06")
def test_department_keeps_a_table_in_step_and_goes_on_after_a_restart(department: Department) -> None:
    department.deliver(("a", "one", 1), ("b", "two", 2))
    with SqliteTable(department.folder / "d.db", "person") as table:
        keep_in_step(department, table, 2)
        department.deliver(("a", "three", 3), ("b", None, 4), ("a", "late", 2))
        keep_in_step(department, table, 3)
        assert table.connection.execute("SELECT govbus_key, name FROM person").fetchall() == [("a", "three")]


def test_aborted_deliveries_are_never_handed_over(department: Department) -> None:
    department.deliver(("a", "aborted", 1), commit=False)
    department.deliver(("a", "committed", 2))
    assert [each.value for each in department.read(1)] == [{"name": "committed", "born": None}]


def test_refused_record_is_parked_with_its_bytes_and_the_next_goes_on(department: Department) -> None:
    department.deliver(("bad", "王芳", 1), ("good", "two", 2))
    applied: list[str] = []

    def handler(received: Received) -> None:
        if received.key["pseudonym"] == "bad":
            raise ValueError("王芳")
        applied.append(received.key["pseudonym"])

    with department.subscriber(handler) as subscriber:
        subscriber.run(until(lambda: applied == ["good"]))
    (parked,) = parked_records(department, 1)
    assert parked.value == encoded(department.value_id, VALUE_SCHEMA, {"name": "王芳", "born": None})
    assert parked.header("govbus_parked_reason") == b"HANDLER_FAILED"
    assert parked.header("govbus_parked_from") == f"{department.grant.topic}:0:0".encode()
    assert parked.header("govbus_position") == b"0.1.1.0"
    assert not any("王芳".encode() in value for _, value in parked.headers)
    assert any("parked" in said for said in department.said)


def test_subscriber_without_a_grant_receives_nothing(department: Department, tmp_path: Path) -> None:
    department.deliver(("a", "one", 1))
    other = set_up(department.stack, tmp_path, uuid.uuid4().hex[:10])
    curious = other.settings.model_copy(update={"topic": department.grant.topic})
    received: list[Received] = []
    with other.subscriber(received.append, settings=curious) as subscriber, pytest.raises(AccessRevoked):
        subscriber.run(until(never_met))
    assert received == []


def test_revocation_while_reading_is_said_with_the_grant_and_what_to_do(department: Department) -> None:
    department.deliver(("a", "one", 1))
    received: list[Received] = []

    def handler(each: Received) -> None:
        received.append(each)
        department.forbid(grant_rights(department.grant))

    with department.subscriber(handler) as subscriber, pytest.raises(AccessRevoked) as told:
        subscriber.run(until(never_met))
    assert f"grant {department.grant.id}" in str(told.value)
    assert "Ask the operator" in str(told.value)
    assert len(received) == 1


def test_withdrawn_department_is_told_that_its_login_is_refused(department: Department) -> None:
    settings = department.settings
    department.stack.users().withdraw(department.user)
    eventually(
        lambda: not logs_in(department.stack, department.user, settings.password.get_secret_value()), 15
    )
    with (
        department.subscriber(lambda _: None, settings=settings) as subscriber,
        pytest.raises(AccessRevoked, match="login"),
    ):
        subscriber.run(until(never_met))


def deleted_up_to(admin: AdminClient, topic: TopicName, offset: int) -> bool:
    """Whether the broker has deleted the records; it learns of a changed setting a moment later."""
    try:
        for answer in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
            answer.result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.POLICY_VIOLATION:
            raise
        return False
    return True


def test_reader_whose_next_record_is_gone_is_told_to_rebuild(department: Department) -> None:
    department.deliver(("a", "one", 1))
    department.read(1)
    department.deliver(("a", "two", 2), ("a", "three", 3))
    admin = department.stack.admin()
    # Kafka refuses to delete records of a topic that is only compacted.
    alter_topics(admin, {department.grant.topic: {"cleanup.policy": "delete"}})
    eventually(lambda: deleted_up_to(admin, department.grant.topic, 4), 15)
    with department.subscriber(lambda _: None) as subscriber, pytest.raises(FellBehind, match="rebuild"):
        subscriber.run(until(never_met))
    department.deliver(("a", "four", 4))
    resuming = department.settings.model_copy(update={"resume_behind": True})
    assert [each.value for each in department.read(1, settings=resuming)] == [{"name": "four", "born": None}]
    # The offset is committed again, so the next start needs no exception.
    department.deliver(("a", "five", 5))
    assert [each.value for each in department.read(1)] == [{"name": "five", "born": None}]


def test_reader_that_was_away_longer_than_records_are_kept_is_told_to_rebuild(department: Department) -> None:
    department.deliver(("a", "one", 1))
    department.read(1)
    department.deliver(("a", "two", 2))
    short = department.settings.model_copy(update={"allowed_outage_s": 60.0})

    def an_hour_later() -> float:
        return time.time() + 3600

    with (
        department.subscriber(lambda _: None, settings=short, clock=an_hour_later) as subscriber,
        pytest.raises(FellBehind, match="rebuild"),
    ):
        subscriber.run(until(never_met))


def documented_example() -> str:
    """The first Python block of the guide for departments."""
    text = (ROOT / "docs" / "consumer.md").read_text(encoding="utf-8")
    return text.split("```python\n", 1)[1].split("```", 1)[0]


def test_example_of_the_guide_is_ten_lines_at_most() -> None:
    assert len([line for line in documented_example().splitlines() if line.strip()]) <= 10


def test_example_of_the_guide_keeps_a_table_in_step(department: Department) -> None:
    department.deliver(("a", "one", 1), ("b", "two", 2), ("b", None, 3))
    (department.folder / "credentials").mkdir()
    department.credentials.rename(department.folder / "credentials" / "education.json")
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([sys.executable, "-c", documented_example()], cwd=department.folder, env=paths)
    try:
        stop = until(lambda: rows(department.folder / "persons.db") == [("one",)])
        while not stop():
            assert running.poll() is None, "the example ended by itself"
            time.sleep(0.1)
        running.terminate()
        assert running.wait(30) == 0
    finally:
        running.kill()


def rows(file: Path) -> list[tuple[str]]:
    """The names in the example's table, nothing before it exists and while it is half filled."""
    if not file.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT name FROM person").fetchall()
        except sqlite3.OperationalError:
            return []


def console_consumer(department: Department, topic: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Kafka's own console consumer as this department."""
    settings = department.settings
    config = department.folder / "client.properties"
    config.touch(0o600)
    jaas = "org.apache.kafka.common.security.scram.ScramLoginModule"
    config.write_text(
        f"security.protocol={settings.security_protocol}\nsasl.mechanism={settings.sasl_mechanism}\n"
        f'sasl.jaas.config={jaas} required username="{settings.username}" '
        f'password="{settings.password.get_secret_value()}";\nisolation.level=read_committed\n'
    )
    classpath = department.stack.context.jars.classpath("kafka")
    main = ["-Xmx128m", "-cp", classpath, "org.apache.kafka.tools.consumer.ConsoleConsumer"]
    where = ["--bootstrap-server", settings.bootstrap, "--command-config", str(config), "--topic", topic]
    shown = ["--formatter-property", "print.headers=true", "--formatter-property", "null.literal=TOMBSTONE"]
    return subprocess.run(
        [runtime(), *main, *where, "--group", f"{settings.consumer}.console", *shown, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_kafkas_own_client_reads_the_department_s_topic_and_is_refused_on_others(
    department: Department, tmp_path: Path
) -> None:
    department.deliver(("a", "one", 1), ("a", None, 2))
    done = console_consumer(department, department.grant.topic, "--from-beginning", "--max-messages", "2")
    lines = [line for line in done.stdout.splitlines() if "ce_id:" in line]
    assert len(lines) == 2, done.stderr[-2000:]
    assert "ce_type:govbus.record.update" in lines[0]
    assert "ce_type:govbus.record.delete" in lines[1]
    assert lines[1].endswith("TOMBSTONE")
    other = set_up(department.stack, tmp_path, uuid.uuid4().hex[:10])
    other.deliver(("a", "not for you", 1))
    refused = console_consumer(department, other.grant.topic, "--from-beginning", "--timeout-ms", "20000")
    assert "TopicAuthorizationException" in refused.stderr + refused.stdout
    assert "not for you" not in refused.stdout
