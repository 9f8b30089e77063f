"""A provider's database with its capture on the real parts, and what comes of it."""

import io
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import fastavro
import psycopg2
import psycopg2.extensions
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AclOperation, NewTopic, ResourceType

from producers.connect_client import ConnectClient
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
from producers.debezium import change_from_envelope, incarnation_of
from producers.preflight import Expectation, TableExpectation
from producers.slots import SlotReport, slot_report
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack
from services.stack.secret_files import write_private
from tests.support.waiting import eventually, patience
from topics.event import Change, ControlReason, ProviderId, TopicName
from topics.names import (
    heartbeat,
    notifications,
    raw_captured,
    signal,
)
from topics.wire import split

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


wait_for = partial(eventually, seconds=60.0)


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
            deadline = time.monotonic() + 60 * patience()
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
