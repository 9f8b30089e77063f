"""A department reads the real bus with the rights that apply gives it: our SDK, and Kafka's own client."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.errors import AccessRevoked, FellBehind
from consumers.received import Received
from consumers.retry import Retry
from consumers.settings import SubscriberSettings, from_credentials_file
from consumers.sqlite_table import SqliteTable
from consumers.subscriber import Subscriber
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.control.acls import create_acls, delete_acls
from services.control.definitions import load_definitions, packaged_definitions
from services.control.kafka_topics import alter_topics, create_topics
from services.control.rights import grant_rights, rights
from services.control.state import Acl, Topic
from services.stack.api import Stack
from services.stack.java import environment, runtime
from tests.contract.subscribing import VALUE_SCHEMA, encoded, headers
from tests.integration.stack_checks import logs_in
from tests.support.waiting import eventually, patience
from topics import names
from topics.canonical import PSEUDONYM_KEY_SCHEMA
from topics.event import ConsumerId, GrantId, KafkaRecord, Operation, SchemaId, TopicName
from topics.grants.declaration import Grant

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
DEADLINE_S = 60.0
ROOT = Path(__file__).parents[2]


@dataclass
class Department:
    """A consumer with one grant, set up as apply does it, and the fan-out that delivers to it."""

    stack: Stack
    folder: Path
    grant: Grant
    credentials: Path
    fanout: Producer
    key_id: SchemaId
    value_id: SchemaId
    said: list[str] = field(default_factory=list)

    @property
    def settings(self) -> SubscriberSettings:
        return from_credentials_file(self.credentials)

    @property
    def user(self) -> str:
        return f"consumer-{self.grant.consumer}"

    def deliver(self, *records: tuple[str, str | None, int], commit: bool = True) -> None:
        """Deliver (pseudonym, name or None, position) in one transaction of the fan-out."""
        self.fanout.begin_transaction()
        for pseudonym, name, position in records:
            value = (
                None if name is None else encoded(self.value_id, VALUE_SCHEMA, {"name": name, "born": None})
            )
            self.fanout.produce(
                self.grant.topic,
                key=encoded(self.key_id, PSEUDONYM_KEY_SCHEMA, {"pseudonym": pseudonym}),
                value=value,
                headers=list(headers(position, Operation.DELETE if name is None else Operation.UPDATE)),
                partition=0,
            )
        if commit:
            self.fanout.commit_transaction(30)
        else:
            self.fanout.flush(30)
            self.fanout.abort_transaction(30)

    def subscriber(self, handler: Callable[[Received], None], **options: Any) -> Subscriber:
        settings = options.pop("settings", self.settings)
        retry = Retry(attempts=2, first_s=0.05)
        return Subscriber(settings, handler, say=self.said.append, retry=retry, **options)

    def read(self, count: int, **options: Any) -> list[Received]:
        """Read until that many records came."""
        found: list[Received] = []
        with self.subscriber(found.append, **options) as subscriber:
            subscriber.run(until(lambda: len(found) >= count))
        return found

    def allow(self, acls: set[Acl]) -> None:
        admin = self.stack.admin()
        create_acls(admin, acls)

    def forbid(self, acls: set[Acl]) -> None:
        admin = self.stack.admin()
        delete_acls(admin, acls)


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    deadline = time.monotonic() + DEADLINE_S * patience()

    def stop() -> bool:
        assert time.monotonic() < deadline, "condition not met in time"
        return condition()

    return stop


def never_met() -> bool:
    return False


@pytest.fixture
def department(stack: Stack, tmp_path: Path) -> Iterator[Department]:
    """A department of its own for each test, so that no test sees another's records."""
    made = set_up(stack, tmp_path, uuid.uuid4().hex[:10])
    yield made
    made.fanout.flush(10)


def set_up(stack: Stack, folder: Path, suffix: str) -> Department:
    sample = load_definitions(packaged_definitions())
    consumer_id, grant_id = ConsumerId(f"test_{suffix}"), GrantId(f"test-{suffix}")
    consumer = next(iter(sample.consumers.values())).model_copy(update={"id": consumer_id})
    some = next(iter(sample.grants.values()))
    grant = some.model_copy(update={"id": grant_id, "consumer": consumer_id})
    admin = stack.admin()
    configs = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
    create_topics(
        admin,
        [
            Topic(grant.topic, 2, configs),
            Topic(names.epochs(grant.id), 1, {}),
            Topic(names.parked(consumer_id), 1, {}),
        ],
    )
    declared = rights({}, {consumer_id: consumer}, {}, [grant])
    create_acls(admin, {acl for acl in declared if acl.user in {f"consumer-{consumer_id}", "fanout"}})
    fanout = Producer(
        stack.kafka_config("fanout") | {"transactional.id": f"fanout.test.{suffix}", "log_level": 0}
    )
    fanout.init_transactions(30)
    registry = SchemaRegistry(registry_credentials(stack, "apply"))
    return Department(
        stack,
        folder,
        grant,
        write_credentials(stack, folder, grant),
        fanout,
        registry.register(names.key_subject(grant.topic), PSEUDONYM_KEY_SCHEMA),
        registry.register(names.value_subject(grant.topic), VALUE_SCHEMA),
    )


def registry_credentials(stack: Stack, user: str) -> RegistryCredentials:
    return RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth(user))


def write_credentials(stack: Stack, folder: Path, grant: Grant) -> Path:
    reader = registry_credentials(stack, "reader")
    content = {
        "bootstrap": stack.endpoints().kafka_bootstrap,
        "username": f"consumer-{grant.consumer}",
        "password": stack.users().ensure(f"consumer-{grant.consumer}"),
        "registry": {"url": reader.url, "username": reader.username, "password": reader.password},
        "grants": {grant.id: grant.topic},
    }
    path = folder / f"{grant.consumer}.json"
    path.touch(0o600)
    path.write_text(json.dumps(content))
    return path


def parked_records(department: Department, count: int) -> list[KafkaRecord]:
    """What is in the department's own parking topic, read with its own rights."""
    settings = department.settings
    group = f"{settings.consumer}.parked"
    reader = Consumer(
        settings.client() | {"group.id": group, "auto.offset.reset": "earliest", "log_level": 0}
    )
    reader.assign([TopicPartition(settings.parking_topic, 0, 0)])
    found: list[KafkaRecord] = []
    stop = until(lambda: len(found) >= count)
    while not stop():
        message = reader.poll(0.2)
        if message is None or message.error():
            continue
        headers_read: list[Any] = list(message.headers() or [])
        key: Any = message.key()
        value: Any = message.value()
        offset = message.offset() or 0
        found.append(KafkaRecord(settings.parking_topic, 0, offset, 0, key, value, tuple(headers_read)))
    reader.close()
    return found


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
