"""A capture of its own on the shared stack: database, role, topics, rights; nothing of it is left behind."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

from confluent_kafka.admin import AclOperation, AdminClient, NewTopic, ResourceType

from producers.connect_client import ConnectClient
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
from services.control.access import CaptureSource
from services.control.acls import delete_acls, read_acls
from services.control.definitions import load_definitions, packaged_definitions
from services.doctor.patient import Patient
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack
from services.stack.probes import loopback_session
from services.stack.secret_files import write_private
from tests.support import waiting
from tests.support.provider_server import ProviderServer
from topics import names
from topics.event import ProviderId, ResourceId
from topics.resource import CapturedTable

TABLE = TableName("public", "item")
PASSWORD = "a-password-of-the-probe"
_LIKE = ResourceId("population.person.v1")


_NUMBERS = count()

eventually = partial(waiting.eventually, seconds=90.0)


@dataclass(frozen=True)
class OwnCapture:
    """One provider with a table ``item (id, name)`` that only this test knows of.

    Args:
        server: the provider's own server; None where its database is on the stack's.
    """

    stack: Stack
    connect: ConnectClient
    provider: ProviderId
    server: ProviderServer | None = None

    @property
    def role(self) -> str:
        return f"{self.provider}_role"

    @property
    def slot(self) -> str:
        return slot_name(self.provider)

    @property
    def connector(self) -> str:
        return connector_name(self.provider)

    @property
    def raw(self) -> str:
        return names.raw_captured(self.provider, TABLE.schema, TABLE.table)

    def sql(self, statement: str, database: str = "") -> list[tuple[Any, ...]]:
        """Run as the server's administrator; what the statement answers."""
        with closing(
            (self.server or self.stack).superuser_connection(database or self.provider)
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    @property
    def source(self) -> CaptureSource:
        """How its database is reached by who captures."""
        port = self.server.port if self.server else self.stack.endpoints().postgres_port
        return CaptureSource("127.0.0.1", port, self.provider, self.role, PASSWORD)

    def start(self, incarnation: int = 1) -> None:
        """Put the connector; it takes its snapshot by itself."""
        folder = str(self.stack.context.layout.connect_secrets)
        endpoints, provider, reached = self.stack.endpoints(), self.provider, self.source
        declared = CaptureDeclaration(
            provider, reached.host, reached.port, reached.database, (TABLE,), incarnation, provider
        )
        environment = ConnectEnvironment(folder, endpoints.kafka_bootstrap)
        config = capture_config(read_template("debezium-postgres"), declared, environment)
        self.connect.put_config(self.connector, config)

    def patient(self) -> Patient:
        """The stack as the doctor sees it if this capture is declared."""
        city = load_definitions(packaged_definitions())
        provider = next(iter(city.providers.values()))
        own = provider.model_copy(update={"id": self.provider, "database": str(self.provider)})
        source = CapturedTable(kind="capture", schema=TABLE.schema, table=TABLE.table, primary_key=("id",))
        table = city.resources[_LIKE].model_copy(update={"provider": self.provider, "source": source})
        definitions = replace(city, providers={self.provider: own}, resources={_LIKE: table})
        return Patient(self.stack, access_of(self.stack), definitions, tuple(self.stack.status()))

    def prepare(self, admin: AdminClient, rows: int) -> None:
        """Topics, rights, and the database with so many rows."""
        _prepare_kafka(admin, self)
        if self.server is None:
            self.stack.create_database(self.provider, f"{self.provider}_owner", "a-password-of-the-owner")
        else:
            self.sql(f"CREATE DATABASE {self.provider}", "postgres")
        self.sql("CREATE TABLE item (id bigserial PRIMARY KEY, name text)")
        self.sql(f"INSERT INTO item (name) SELECT 'x' FROM generate_series(1, {rows})")
        self.sql(f"CREATE ROLE {self.role} LOGIN REPLICATION PASSWORD '{PASSWORD}'")
        self.sql(setup_sql(self.role, self.provider, self.slot, [TABLE]))
        secrets = self.stack.context.layout.connect_secrets / f"{self.provider}.properties"
        write_private(secrets, f"user={self.role}\npassword={PASSWORD}\n")

    def clean_up(self, admin: AdminClient) -> None:
        """Leave the stack as it was: no connector, slot, database, role, topic or right."""
        self.connect.delete(self.connector)
        if self.server is None:
            self._drop_database()
        (self.stack.context.layout.connect_secrets / f"{self.provider}.properties").unlink()
        delete_acls(admin, [acl for acl in read_acls(admin) if self.provider in acl.name])
        topics = [topic for topic in admin.list_topics(timeout=15).topics if self.provider in topic]
        for answer in admin.delete_topics(topics).values():
            answer.result(15)

    def _drop_database(self) -> None:
        slot = f"FROM pg_replication_slots WHERE slot_name = '{self.slot}'"
        eventually(lambda: not self.sql(f"SELECT 1 {slot} AND active", "postgres"))
        self.sql(f"SELECT pg_drop_replication_slot(slot_name) {slot}", "postgres")
        self.sql(f"DROP DATABASE {self.provider} WITH (FORCE)", "postgres")
        for role in (self.role, f"{self.provider}_owner"):
            self.sql(f"DROP ROLE {role}", "postgres")


@contextmanager
def own_capture(
    stack: Stack, name: str, rows: int, server: ProviderServer | None = None
) -> Iterator[OwnCapture]:
    """A capture that has not begun; offsets outlive a connector, so its name is a new one each time."""
    client = ConnectClient(stack.endpoints().connect_url, *stack.connect_auth(), session=loopback_session())
    provider = ProviderId(f"{name}_{os.getpid()}_{next(_NUMBERS)}")
    made, admin = OwnCapture(stack, client, provider, server), stack.admin()
    made.prepare(admin, rows)
    try:
        yield made
    finally:
        made.clean_up(admin)


def _prepare_kafka(admin: AdminClient, own: OwnCapture) -> None:
    written = [own.raw, names.heartbeat(own.provider), names.notifications(own.provider)]
    signal = names.signal(own.provider)
    for answer in admin.create_topics([NewTopic(topic, 1, 1) for topic in [*written, signal]]).values():
        answer.result(15)
    read, write = [AclOperation.READ], [AclOperation.WRITE]
    bindings = [
        binding
        for topic in written
        # The doctor reads what Connect writes.
        for binding in (
            *allow("connect", ResourceType.TOPIC, topic, write),
            *allow("doctor", ResourceType.TOPIC, topic, read),
        )
    ]
    bindings += allow("connect", ResourceType.TOPIC, signal, read)
    bindings += allow("connect", ResourceType.GROUP, signal, read)
    ensure_acls(admin, bindings)
