"""A capture whose worker is killed inside one statement, with the table as the oracle."""

import io
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition

from producers.connect_status import Health
from services.stack.api import Stack
from services.watch.app import Reach, Watch
from services.watch.settings import WatchSettings
from tests.integration.captures import registry
from tests.integration.own_capture import OwnCapture, eventually, own_capture

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600), pytest.mark.requirement("A5-08")]

ROWS = 20_000


@pytest.fixture
def own(stack: Stack, request: pytest.FixtureRequest) -> Iterator[OwnCapture]:
    """A capture of this test's own with three rows, streaming."""
    # Offsets outlive a connector: each test's capture has a name of its own.
    number = request.session.items.index(request.node)
    with own_capture(stack, f"lost{number}", rows=3) as made:
        made.start()
        eventually(lambda: made.connect.health(made.connector) is Health.RUNNING)
        eventually(lambda: set(raw_fold(made)) == {1, 2, 3})
        eventually(lambda: slot_of(made)[0])
        yield made


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "continuity.json"


def watch_of(own: OwnCapture, memory: Path) -> Watch:
    """A watch as a start of the process makes it."""
    secrets, endpoints = own.stack.context.layout.connect_secrets, own.stack.endpoints()
    ours = (endpoints.postgres_host, endpoints.postgres_port)
    reach = Reach(own.connect, secrets, {ours: own.stack.superuser_connection}, memory)
    return Watch(reach, WatchSettings(), lambda *_arguments, **_fields: None)


def fenced(own: OwnCapture, watch: Watch) -> str | None:
    """What the fence says about the capture after one more look."""
    watch.round()
    alarms = [each for each in watch.status()["alarms"] if each["kind"] == "capture-fenced"]
    return next((str(each["detail"]) for each in alarms if each["subject"] == own.connector), None)


def slot_of(own: OwnCapture) -> tuple[bool, int]:
    """Whether the slot is read, and how many bytes the log is past it."""
    query = (
        "SELECT active, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint"
        f" FROM pg_replication_slots WHERE slot_name = '{own.slot}'"
    )
    (found,) = own.sql(query)
    return bool(found[0]), int(found[1])


def raw_changes(own: OwnCapture) -> list[tuple[int, dict[str, Any] | None]]:
    """Every committed change of the raw topic: primary key and row after it (None: deleted)."""
    settings = own.stack.kafka_config("admin") | {"group.id": "oracle", "isolation.level": "read_committed"}
    consumer = Consumer(settings | {"enable.partition.eof": True, "auto.offset.reset": "earliest"})
    found: list[tuple[int, dict[str, Any] | None]] = []
    schemas = registry(own.stack)

    def decoded(framed: bytes) -> Any:
        (schema,) = struct.unpack(">I", framed[1:5])
        return fastavro.schemaless_reader(io.BytesIO(framed[5:]), schemas.schema(schema), None)

    try:
        consumer.assign([TopicPartition(own.raw, 0, 0)])
        while True:
            for message in consumer.consume(500, 5.0):
                if message.error():
                    return found
                value = message.value()
                if value is not None:
                    found.append((decoded(message.key() or b"")["id"], decoded(value)["after"]))
    finally:
        consumer.close()


def raw_fold(own: OwnCapture) -> dict[int, Any]:
    """The table as the raw topic tells it."""
    rows: dict[int, Any] = {}
    for key, after in raw_changes(own):
        if after is None:
            rows.pop(key, None)
        else:
            rows[key] = after["name"]
    return rows


def table(own: OwnCapture) -> dict[int, Any]:
    """The oracle."""
    return dict(own.sql("SELECT id, name FROM item"))


def kill(own: OwnCapture, component: str) -> None:
    """kill -9."""
    part = {"connect": own.stack.connect, "postgres": own.stack.postgres}[component]
    process = part.pid_file.running()
    assert process is not None
    process.kill()
    eventually(lambda: part.pid_file.running() is None)


def copied(own: OwnCapture) -> None:
    """Rows that share their position in the log by the hundred."""
    lines = "".join(f"c{each}\n" for each in range(ROWS))
    connection = own.stack.superuser_connection(own.provider)
    with connection, connection.cursor() as cursor:
        cursor.copy_expert("COPY item (name) FROM STDIN", io.StringIO(lines))
    connection.close()


def inserted(own: OwnCapture) -> None:
    """One statement with many rows."""
    rows = ", ".join(f"('v{each}')" for each in range(ROWS))
    own.sql(f"INSERT INTO item (name) VALUES {rows}")


@pytest.mark.parametrize("write", [copied, inserted])
def test_a_worker_killed_in_the_middle_of_one_statement_loses_and_repeats_no_row(
    own: OwnCapture, memory: Path, write: Callable[[OwnCapture], None]
) -> None:
    watch = watch_of(own, memory)
    assert fenced(own, watch) is None
    write(own)
    seen = eventually(lambda: count if (count := end_of(own)) > 1_000 else 0)
    kill(own, "connect")
    assert seen < ROWS, "the worker was killed after the whole statement: nothing was shown"
    own.stack.up()
    eventually(lambda: len(raw_fold(own)) >= ROWS + 3)
    changes = raw_changes(own)
    assert raw_fold(own) == table(own)
    assert max(Counter(key for key, _ in changes).values()) == 1, "no row comes twice"
    assert fenced(own, watch) is None, "a worker that comes back has no gap"


def end_of(own: OwnCapture) -> int:
    """About how many records the raw topic has, uncommitted ones too."""
    consumer = Consumer(own.stack.kafka_config("admin") | {"group.id": "end"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(own.raw, 0), 10)[1])
    finally:
        consumer.close()
