"""A row of a provider's database reaches a topic through the embedded stack; no secret stays on the way."""

import struct
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from confluent_kafka import Consumer, Message
from confluent_kafka.admin import AclOperation, NewTopic, ResourcePatternType, ResourceType

from producers.connect_client import ConnectClient
from producers.restarter import Restarter, RestartPolicy
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack
from services.stack.probes import loopback_session
from services.stack.secret_files import write_private
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

PASSWORD = "known-to-this-test-only"


@dataclass(frozen=True, slots=True)
class Capture:
    """A running connector of a database with one table."""

    stack: Stack
    name: str
    topic: str


wait_for = partial(eventually, seconds=90.0)


def connect_get(stack: Stack, path: str) -> Any:
    with loopback_session(stack.connect_auth()) as session:
        return session.get(f"{stack.endpoints().connect_url}{path}", timeout=30).json()


def execute(stack: Stack, database: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run the statements as superuser; return the rows of the last one."""
    with closing(stack.superuser_connection(database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def connector(stack: Stack, name: str, topic_prefix: str) -> dict[str, str]:
    secret = stack.context.layout.connect_secrets / f"{name}.properties"
    write_private(secret, f"user={name}\npassword={PASSWORD}\n")
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": stack.endpoints().postgres_host,
        "database.port": str(stack.endpoints().postgres_port),
        "database.user": f"${{file:{secret}:user}}",
        "database.password": f"${{file:{secret}:password}}",
        "database.dbname": name,
        "topic.prefix": topic_prefix,
        "plugin.name": "pgoutput",
        "publication.name": name,
        "publication.autocreate.mode": "disabled",
        "table.include.list": "public.person",
        "slot.name": name,
        "schema.name.adjustment.mode": "avro",
        "poll.interval.ms": "10",
        "exactly.once.support": "required",
    }


@pytest.fixture(scope="module")
def capture(stack: Stack) -> Iterator[Capture]:
    name = f"capture_{uuid.uuid4().hex[:6]}"
    topic = f"test-{name}.public.person"
    admin = stack.admin()
    for answer in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        answer.result(15)
    write, describe = AclOperation.WRITE, AclOperation.DESCRIBE
    ensure_acls(
        admin,
        allow("connect", ResourceType.TOPIC, f"test-{name}", [write, describe], ResourcePatternType.PREFIXED),
    )
    stack.create_database(name, name, PASSWORD)
    execute(
        stack,
        name,
        f"ALTER ROLE {name} REPLICATION",
        "CREATE TABLE public.person (id int PRIMARY KEY, name text)",
        f"ALTER TABLE public.person OWNER TO {name}",
        "ALTER TABLE public.person REPLICA IDENTITY FULL",
        f"CREATE PUBLICATION {name} FOR TABLE public.person",
    )
    base = stack.endpoints().connect_url
    with loopback_session(stack.connect_auth()) as session:
        config = connector(stack, name, f"test-{name}")
        assert session.put(f"{base}/connectors/{name}/config", json=config, timeout=60).status_code == 201
    wait_for(lambda: [task["state"] for task in status(stack, name)["tasks"]] == ["RUNNING"])
    yield Capture(stack, name, topic)
    with loopback_session(stack.connect_auth()) as session:
        session.delete(f"{base}/connectors/{name}", timeout=60)
    # Deleting a connector leaves its slot, which would hold back the log for ever.
    slot = f"FROM pg_replication_slots WHERE slot_name = '{name}'"
    wait_for(lambda: execute(stack, name, f"SELECT active {slot}") == [(False,)])
    execute(stack, name, f"SELECT pg_drop_replication_slot(slot_name) {slot}")


def status(stack: Stack, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = connect_get(stack, f"/connectors/{name}/status")
    return {"tasks": [], **answer}


def records(stack: Stack, topic: str, wanted: int) -> list[Message]:
    """Return the first records that a read_committed reader sees."""
    return records_until(stack, topic, lambda found: len(found) >= wanted)


def records_until(
    stack: Stack,
    topic: str,
    enough: Callable[[list[Message]], bool],
    meanwhile: Callable[[], object] = lambda: "",
) -> list[Message]:
    """Return what a read_committed reader sees from the beginning until it is enough.

    Args:
        meanwhile: is done after each read; what it returned last is told with a failure.
    """
    settings = {"group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer(stack.kafka_config("admin") | settings)
    consumer.subscribe([topic])
    found: list[Message] = []
    seen: list[object] = [""]

    def read_enough() -> bool:
        found.extend(consumer.consume(100, 0.5))
        seen[:] = [meanwhile()]
        return enough(found)

    try:
        wait_for(read_enough, what=lambda: f"more than {len(found)} records of {topic} {seen}")
    finally:
        consumer.close()
    return found


def test_a_committed_row_arrives_with_the_schema_id_that_the_registry_knows(capture: Capture) -> None:
    stack = capture.stack
    base = stack.endpoints().registry_url
    # Two subjects with one schema: from here on the registry's global ids and content ids differ.
    with loopback_session(stack.registry_auth("apply")) as session:
        for subject in ("same-a-value", "same-b-value"):
            session.post(f"{base}/subjects/{subject}/versions", json={"schema": '"long"'}, timeout=10)
    execute(stack, capture.name, "INSERT INTO public.person VALUES (1, '王小明')")
    (record,) = records(stack, capture.topic, 1)
    value = record.value()
    assert isinstance(value, bytes)
    magic, identifier = struct.unpack(">bI", value[:5])
    assert magic == 0
    assert "王小明".encode() in value
    with loopback_session(stack.registry_auth("reader")) as session:
        by_id = session.get(f"{base}/schemas/ids/{identifier}", timeout=10).json()["schema"]
        latest = session.get(f"{base}/subjects/{capture.topic}-value/versions/latest", timeout=10).json()
    assert latest["schema"] == by_id
    assert latest["id"] == identifier
    assert '"Envelope"' in by_id


def test_connect_stores_and_shows_where_a_secret_is_never_the_secret(capture: Capture) -> None:
    shown = connect_get(capture.stack, f"/connectors/{capture.name}/config")
    assert shown["database.password"].startswith("${file:")
    last_of_its_own = f"commit-{capture.name}".encode()
    stored = records_until(
        capture.stack,
        "_connect-configs",
        lambda found: last_of_its_own in {record.key() for record in found},
    )
    assert not [record for record in stored if PASSWORD.encode() in (record.value() or b"")]


def test_a_connector_cannot_read_files_outside_the_folder_of_its_secrets(capture: Capture) -> None:
    stack = capture.stack
    outside = stack.context.secrets.path("kafka-admin")
    config = {
        "connector.class": "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector",
        "name": "thief",
        "source.cluster.alias": f"${{dir:{outside.parent}:{outside.name}}}",
    }
    with loopback_session(stack.connect_auth()) as session:
        address = f"{stack.endpoints().connect_url}/connectors/thief/config"
        session.put(address, json=config, timeout=60)
        trace = session.get(f"{stack.endpoints().connect_url}/connectors/thief/status", timeout=30).text
        shown = session.get(address, timeout=30).text
        session.delete(address.removesuffix("/config"), timeout=30)
    assert stack.secret("kafka-admin") not in trace + shown


def watched(stack: Stack, name: str) -> Callable[[], object]:
    """Return what looks at the connector as the watch of a bus does: a task that fails is started again."""
    client = ConnectClient(stack.endpoints().connect_url, *stack.connect_auth())
    restarter = Restarter(client, RestartPolicy(idle_grace=20.0), time.monotonic)
    return lambda: (restarter.look([name]), status(stack, name)["tasks"])


def test_rows_arrive_once_when_the_worker_is_killed_in_between(capture: Capture) -> None:
    stack = capture.stack
    execute(
        stack, capture.name, "INSERT INTO public.person SELECT i, 'before' FROM generate_series(1001, 3000) i"
    )
    process = stack.connect.pid_file.running()
    assert process is not None
    process.kill()
    wait_for(lambda: stack.connect.pid_file.running() is None)
    execute(
        stack, capture.name, "INSERT INTO public.person SELECT i, 'after' FROM generate_series(3001, 4000) i"
    )
    stack.up()
    found = records_until(
        stack, capture.topic, lambda found: len(found) >= 3001, watched(stack, capture.name)
    )
    keys = [record.key() for record in found]
    assert len(keys) == len(set(keys)) == 3001
