"""Capture and direct publishing on the real parts: every shape that the gate has to read, and every trap."""

import io
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import fastavro
import psycopg2
import psycopg2.extensions
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AclOperation, NewTopic, ResourceType

from producers.connect_client import ConnectClient, Written
from producers.connect_errors import ConnectorConfigInvalid
from producers.connect_status import Health
from producers.connector import (
    CaptureDeclaration,
    ConnectEnvironment,
    TableName,
    capture_config,
    connector_name,
    publication_name,
    read_template,
    slot_name,
)
from producers.debezium import change_from_envelope, incarnation_of, is_unavailable
from producers.preflight import Expectation, Level, TableExpectation, preflight, refused
from producers.provider_setup import setup_sql
from producers.publication import change_from_publication, publication_schema
from producers.publisher import NotAllPublished, Publisher
from producers.slots import SlotReport, slot_report
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack
from services.stack.secret_files import write_private
from topics.event import Change, ControlReason, Operation, ProviderId, TopicName
from topics.names import (
    heartbeat,
    notifications,
    raw_captured,
    raw_prefix,
    raw_published,
    signal,
    value_subject,
)
from topics.resource import Resource
from topics.wire import split

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

INCARNATION = 3
PERSON, KEYED = TableName("public", "person"), TableName("public", "keyed")
IDENTITY = "110101200001010010"
TABLES = """
    CREATE TABLE person (id bigint PRIMARY KEY, id_number text NOT NULL, name text, note text,
                         capital numeric(12,2), born date, updated_at timestamptz, tags text[], raw bytea);
    ALTER TABLE person ALTER note SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL,
                       ALTER tags SET STORAGE EXTERNAL;
    CREATE TABLE keyed (id_number text PRIMARY KEY, district text NOT NULL, size int NOT NULL);
    INSERT INTO person VALUES (1, '11010519491231002X', '甲', NULL, 1.50, '1949-12-31',
                               '2026-01-01T00:00:00+08', '{a,b}', '\\x00ff');
"""
SCENE = (
    f"INSERT INTO person (id, id_number, name, capital) VALUES (2, '{IDENTITY}', '乙', 2)",
    "UPDATE person SET name = '丙' WHERE id = 2",
    "UPDATE person SET id = 3 WHERE id = 2",
    "DELETE FROM person WHERE id = 3",
    "INSERT INTO keyed VALUES ('k2', '320508', 6)",
    "DELETE FROM keyed WHERE id_number = 'k2'",
    "ALTER TABLE person REPLICA IDENTITY DEFAULT",
    f"INSERT INTO person VALUES (5, '{IDENTITY}', '丁', repeat('x', 9000), 2, '2000-01-01', now(),"
    " ARRAY[repeat('y', 9000)], convert_to(repeat('z', 9000), 'UTF8'))",
    "UPDATE person SET name = '戊' WHERE id = 5",
    "ALTER TABLE person REPLICA IDENTITY FULL",
    "SELECT pg_logical_emit_message(true, 'an application of the provider', 'a message')",
    "TRUNCATE person",
    "INSERT INTO keyed VALUES ('end', '320508', 1)",
)


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.05)


@dataclass(slots=True)
class Captured:
    """One raw record, decoded."""

    topic: str
    offset: int
    headers: tuple[tuple[str, bytes], ...]
    key: Any
    value: Any

    def read(self, *primary_key: str) -> Change | ControlReason:
        incarnation = incarnation_of(self.headers)
        assert incarnation == INCARNATION
        found = change_from_envelope(self.key, self.value, primary_key, incarnation, 0, self.offset)
        assert isinstance(found, (Change, ControlReason)), found
        return found


@dataclass(slots=True)
class Capture:
    """A provider's database and its connector."""

    stack: Stack
    provider: ProviderId
    password: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def database(self) -> str:
        return f"db_{self.provider}"

    @property
    def role(self) -> str:
        return f"capture_{self.provider}"

    @property
    def client(self) -> ConnectClient:
        return ConnectClient(self.stack.endpoints().connect_url, *self.stack.connect_auth())

    @property
    def name(self) -> str:
        return connector_name(self.provider)

    @property
    def expectation(self) -> Expectation:
        person = TableExpectation(PERSON, ("id",), "id_number", ("id", "id_number", "name"))
        keyed = TableExpectation(KEYED, ("id_number",), "id_number", ("id_number", "district"))
        return Expectation(publication_name(self.provider), slot_name(self.provider), (person, keyed))

    def config(self) -> dict[str, str]:
        endpoints = self.stack.endpoints()
        declaration = CaptureDeclaration(
            provider=self.provider,
            host=endpoints.postgres_host,
            port=endpoints.postgres_port,
            database=self.database,
            tables=(PERSON, KEYED),
            incarnation=INCARNATION,
            secret_set=self.provider,
        )
        folder = str(self.stack.context.layout.connect_secrets)
        environment = ConnectEnvironment(folder, endpoints.kafka_bootstrap)
        return capture_config(read_template("debezium-postgres"), declaration, environment)

    def sql(self, *statements: str) -> None:
        """Run each statement in a transaction of its own, as the administrator."""
        with closing(self.stack.superuser_connection(self.database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def as_role(self) -> psycopg2.extensions.connection:
        endpoints = self.stack.endpoints()
        return psycopg2.connect(
            host=endpoints.postgres_host,
            port=endpoints.postgres_port,
            dbname=self.database,
            user=self.role,
            password=self.password,
        )

    def make_database(self) -> None:
        self.stack.create_database(self.database, f"{self.database}_owner", secrets.token_hex(12))
        self.sql(
            TABLES,
            f"CREATE ROLE {self.role} LOGIN PASSWORD '{self.password}'",
            f"GRANT CONNECT ON DATABASE {self.database} TO {self.role}",
        )
        content = f"user={self.role}\npassword={self.password}\n"
        write_private(self.stack.context.layout.connect_secrets / f"{self.provider}.properties", content)

    def make_topics(self) -> None:
        """Everything that the connector needs on the broker, and no more."""
        raw = [raw_captured(self.provider, "public", table) for table in ("person", "keyed")]
        writes = [*raw, heartbeat(self.provider), notifications(self.provider)]
        reads = signal(self.provider)
        admin = self.stack.admin()
        for answer in admin.create_topics([NewTopic(topic, 1, 1) for topic in (*writes, reads)]).values():
            answer.result()
        bindings = [*allow("connect", ResourceType.TOPIC, reads, [AclOperation.READ])]
        bindings += allow("connect", ResourceType.GROUP, reads, [AclOperation.READ])
        for topic in writes:
            bindings += allow("connect", ResourceType.TOPIC, topic, [AclOperation.WRITE])
        ensure_acls(admin, bindings)

    def slot(self) -> SlotReport | None:
        with closing(self.stack.superuser_connection(self.database)) as connection:
            found = {report.name: report for report in slot_report(connection)}
        return found.get(slot_name(self.provider))

    def streams(self) -> bool:
        slot = self.slot()
        return slot is not None and slot.active and self.client.health(self.name) is Health.RUNNING

    def read(self, topics: Sequence[TopicName], until: Callable[[list[Captured]], bool]) -> list[Captured]:
        """Every committed record of the topics, from the first, until there is enough."""
        config = self.stack.kafka_config("admin")
        consumer = Consumer({**config, "group.id": "test", "isolation.level": "read_committed"})
        found: list[Captured] = []
        try:
            consumer.assign([TopicPartition(topic, 0, 0) for topic in topics])
            deadline = time.monotonic() + 60
            while not until(found):
                assert time.monotonic() < deadline, [(each.topic, each.offset) for each in found]
                message = consumer.poll(0.1)
                if message is None or message.error():
                    continue
                headers = header_bytes(message.headers())
                key, value = self.decode(message.key()), self.decode(message.value())
                found.append(Captured(message.topic() or "", message.offset() or 0, headers, key, value))
        finally:
            consumer.close()
        return found

    def decode(self, framed: bytes | None) -> Any:
        if framed is None:
            return None
        schema_id, avro = split(framed)
        return fastavro.schemaless_reader(io.BytesIO(avro), registry(self.stack).schema(schema_id), None)


def header_bytes(headers: Any) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value or b"") for name, value in headers or ())


def registry(stack: Stack, user: str = "reader") -> SchemaRegistry:
    return SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth(user)))


def new_provider() -> ProviderId:
    return ProviderId(f"bureau{secrets.token_hex(4)}")


@pytest.fixture(scope="module")
def capture(stack: Stack) -> Iterator[Capture]:
    """A provider whose capture runs; the preflight before and after the script is part of it."""
    capturing = Capture(stack, new_provider())
    capturing.make_database()
    capturing.make_topics()
    with closing(capturing.as_role()) as connection:
        before = refused(preflight(connection, capturing.expectation))
        assert {finding.check for finding in before} >= {
            "publication",
            "select",
            "replication",
            "replica identity",
        }
    script = setup_sql(
        capturing.role, capturing.database, publication_name(capturing.provider), [PERSON, KEYED]
    )
    capturing.sql(script, script)
    with closing(capturing.as_role()) as connection:
        after = preflight(connection, capturing.expectation)
        assert {finding.level for finding in after} == {Level.OK}, after
    assert capturing.client.put_config(capturing.name, capturing.config()) is Written.CREATED
    wait_for(capturing.streams)
    yield capturing
    capturing.client.delete(capturing.name)
    # Deleting a connector leaves its slot: other tests of the session shall not meet it.
    wait_for(lambda: (slot := capturing.slot()) is not None and not slot.active)
    capturing.sql(f"SELECT pg_drop_replication_slot('{slot_name(capturing.provider)}')")


@pytest.fixture(scope="module")
def scene(capture: Capture) -> list[Captured]:
    """Every raw record of the scene, the snapshot's and the signalled snapshot's included."""
    capture.sql(*SCENE)
    topics = [raw_captured(capture.provider, "public", table) for table in ("person", "keyed")]
    capture.read(topics, lambda found: any(each.key == {"id_number": "end"} for each in found))
    value = {"id": "1", "type": "execute-snapshot"}
    value["data"] = {"data-collections": ["public.keyed"], "type": "INCREMENTAL"}  # type: ignore[assignment]
    producer = Producer(capture.stack.kafka_config("admin"))
    producer.produce(signal(capture.provider), key=raw_prefix(capture.provider), value=json.dumps(value))
    assert producer.flush(20) == 0
    return capture.read(
        topics,
        lambda found: any(
            each.value and each.value["op"] == "r" and each.topic.endswith("keyed") for each in found
        ),
    )


def changes(scene: list[Captured], table: str, *primary_key: str) -> list[Change]:
    found = [each.read(*primary_key) for each in scene if each.topic.endswith(f".{table}")]
    return [each for each in found if isinstance(each, Change)]


@pytest.mark.requirement("A4-01", "A4-02")
def test_every_kind_of_change_arrives_in_order_as_what_it_is(scene: list[Captured]) -> None:
    seen = [(each.operation, each.record_id) for each in changes(scene, "person", "id")]
    assert seen == [
        (Operation.READ, "1"),
        (Operation.CREATE, "2"),
        (Operation.UPDATE, "2"),
        (Operation.DELETE, "2"),
        (Operation.CREATE, "3"),
        (Operation.DELETE, "3"),
        (Operation.CREATE, "5"),
        (Operation.UPDATE, "5"),
    ]


def test_the_row_before_a_change_is_whole_under_replica_identity_full(scene: list[Captured]) -> None:
    update = next(each for each in changes(scene, "person", "id") if each.operation is Operation.UPDATE)
    assert update.before is not None
    assert update.after is not None
    assert (update.before["name"], update.after["name"]) == ("乙", "丙")
    assert update.before["id_number"] == IDENTITY
    assert update.after["capital"] == "2.00"


def test_positions_rise_and_a_signalled_snapshot_fits_in(scene: list[Captured]) -> None:
    for table, key in (("person", "id"), ("keyed", "id_number")):
        positions = [each.position for each in changes(scene, table, key)]
        assert positions == sorted(set(positions))
    assert changes(scene, "person", "id")[0].position.commit == 0
    assert changes(scene, "keyed", "id_number")[-1].operation is Operation.READ


def test_a_large_value_that_was_not_sent_is_recognised_in_every_form(scene: list[Captured]) -> None:
    row = changes(scene, "person", "id")[-1].after
    assert row is not None
    assert {name for name, value in row.items() if is_unavailable(value)} == {"note", "tags", "raw"}


def test_truncate_and_tombstones_arrive_as_control_records(scene: list[Captured]) -> None:
    found = [each.read("id") for each in scene if each.topic.endswith(".person")]
    assert found.count(ControlReason.TRUNCATE) == 1
    assert found.count(ControlReason.TOMBSTONE) == 2


def test_headers_are_the_incarnation_in_plain_digits_and_nothing_else(scene: list[Captured]) -> None:
    assert {each.headers for each in scene} == {(("govbus.incarnation", b"3"),)}


def test_a_message_of_the_providers_application_does_not_disturb_the_capture(
    scene: list[Captured], capture: Capture
) -> None:
    assert capture.client.health(capture.name) is Health.RUNNING
    assert not [each for each in scene if each.value and each.value["op"] == "m"]


def test_a_declaration_that_is_there_already_changes_nothing(capture: Capture) -> None:
    assert capture.client.put_config(capture.name, capture.config()) is Written.UNCHANGED


def test_what_connect_stores_holds_no_password(capture: Capture) -> None:
    stored = json.dumps(capture.client.config(capture.name))
    assert capture.password not in stored
    assert capture.stack.secret("kafka-connect") not in stored


def test_every_wrong_field_is_named_before_anything_is_written(capture: Capture) -> None:
    wrong = {**capture.config(), "slot.name": "Not-A-Slot", "snapshot.mode": "nope", "database.port": "x"}
    with pytest.raises(ConnectorConfigInvalid) as caught:
        capture.client.put_config("capture.wrong", wrong)
    assert {error.field for error in caught.value.errors} == {"slot.name", "snapshot.mode", "database.port"}
    assert capture.client.health("capture.wrong") is Health.MISSING


def test_a_wrong_password_is_told_without_showing_it(capture: Capture) -> None:
    wrong = {**capture.config(), "database.password": "not-the-password"}
    with pytest.raises(ConnectorConfigInvalid) as caught:
        capture.client.put_config("capture.wrong", wrong)
    assert "not-the-password" not in str(caught.value)
    assert "password authentication failed" in str(caught.value)


def test_the_slot_moves_on_while_the_provider_is_idle(scene: list[Captured], capture: Capture) -> None:
    def position() -> str:
        query = "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s"
        database = closing(capture.stack.superuser_connection(capture.database))
        with database as connection, connection.cursor() as cursor:
            cursor.execute(query, (slot_name(capture.provider),))
            row = cursor.fetchone()
        assert row is not None
        return str(row[0])

    before = position()
    wait_for(lambda: position() != before)


def test_a_slot_that_is_gone_fails_the_capture_and_is_never_papered_over(stack: Stack) -> None:
    lost = Capture(stack, new_provider())
    lost.make_database()
    lost.make_topics()
    lost.sql(setup_sql(lost.role, lost.database, publication_name(lost.provider), [PERSON, KEYED]))
    lost.client.put_config(lost.name, lost.config())
    wait_for(lost.streams)
    topic = raw_captured(lost.provider, "public", "person")
    lost.sql("UPDATE person SET name = '乙' WHERE id = 1")
    lost.read([topic], lambda found: len(found) == 2)
    lost.client.stop(lost.name)
    wait_for(lambda: not lost.client.status(lost.name).tasks)
    wait_for(lambda: (slot := lost.slot()) is not None and not slot.active)
    lost.sql("UPDATE person SET name = '丙' WHERE id = 1")
    lost.sql(f"SELECT pg_drop_replication_slot('{slot_name(lost.provider)}')")
    lost.client.resume(lost.name)
    wait_for(lambda: lost.client.status(lost.name).has_failed)
    assert lost.client.health(lost.name) is Health.FAILED
    assert "no longer available" in (lost.client.status(lost.name).tasks[0].trace or "")
    assert lost.slot() is None
    lost.client.delete(lost.name)


ITEMS = {
    "type": "record",
    "name": "Permit",
    "fields": [{"name": "id", "type": "string"}, {"name": "holder", "type": "string"}],
}


def published_resource(provider: ProviderId) -> Resource:
    titles = {"zh": "许可", "en": "Permits"}
    return Resource.model_validate(
        {
            "code": "1-01-3205/000009",
            "domain": "licence",
            "name": "permit",
            "titles": titles,
            "provider": provider,
            "source": {"kind": "publish", "primary_key": ["id"]},
            "identity": {"kind": "resident_id", "item": "holder"},
            "items": [{"name": "id", "titles": titles}, {"name": "holder", "titles": titles}],
            "partitions": 2,
            "avro_schema": "licence.permit.v1.avsc",
        }
    )


@pytest.mark.requirement("A4-06")
def test_a_provider_publishes_directly_with_its_own_right_and_fails_without(stack: Stack) -> None:
    provider = new_provider()
    resource = published_resource(provider)
    topic, user = raw_published(provider, "licence", "permit"), f"provider-{provider}"
    admin = stack.admin()
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    registry(stack, "apply").register(value_subject(topic), publication_schema(ITEMS))
    stack.users().ensure(user)
    ensure_acls(admin, allow(user, ResourceType.TOPIC, topic, [AclOperation.DESCRIBE]))
    config = {**stack.kafka_config(user), "delivery.timeout.ms": 10_000}

    def publisher() -> Publisher:
        return Publisher(resource, config, registry(stack), item_schema=ITEMS)

    record = {"id": "p1", "holder": IDENTITY}
    refused_publisher = publisher()
    refused_publisher.publish(record, version=1, reference="first")
    with pytest.raises(NotAllPublished) as caught:
        refused_publisher.close()
    assert caught.value.result.published == 0
    assert caught.value.result.broken
    ensure_acls(admin, allow(user, ResourceType.TOPIC, topic, [AclOperation.WRITE]))
    with publisher() as publishing:
        publishing.publish(record, version=1)
        publishing.delete(record, version=2)
    assert publishing.result().published == 2
    assert [each.operation for each in read_published(stack, topic)] == [Operation.UPDATE, Operation.DELETE]


def read_published(stack: Stack, topic: TopicName) -> list[Change]:
    consumer = Consumer({**stack.kafka_config("admin"), "group.id": "test"})
    found: list[Change] = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(2)])
        deadline = time.monotonic() + 30
        while len(found) < 2:
            assert time.monotonic() < deadline
            message = consumer.poll(0.1)
            if message is None or message.error():
                continue
            assert message.key() == b"p1"
            schema_id, avro = split(message.value() or b"")
            value: Any = fastavro.schemaless_reader(io.BytesIO(avro), registry(stack).schema(schema_id), None)
            change = change_from_publication(value, ("id",), 1, 0, message.offset() or 0)
            assert isinstance(change, Change)
            found.append(change)
    finally:
        consumer.close()
    return found
