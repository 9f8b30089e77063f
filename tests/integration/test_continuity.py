"""A capture whose worker is killed inside one statement, with the table as the oracle."""

import io
import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGQUIT
from threading import Thread
from typing import Any

import fastavro
import psycopg2
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from producers.connect_status import Health
from services.control.epochs.scan import Scan, scan_of
from services.stack.api import Stack
from services.watch.app import Reach, Watch
from services.watch.settings import WatchSettings
from tests.integration.captures import registry
from tests.integration.own_capture import OwnCapture, eventually, own_capture
from tests.support import waiting
from topics import names

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600), pytest.mark.requirement("A5-08")]

ROWS = 20_000
PATIENCE_S = 240.0
"""For what comes after a restart or a second reading of the table, on a busy machine."""


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


@pytest.mark.soak
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


@pytest.mark.soak
@pytest.mark.parametrize("signal", ["immediate", "kill"])
def test_a_provider_that_restarts_in_the_middle_of_a_load_loses_and_repeats_no_committed_row(
    own: OwnCapture, memory: Path, signal: str
) -> None:
    """Rows are written in many transactions by a client that writes on until the server is away."""
    watch = watch_of(own, memory)
    assert fenced(own, watch) is None
    writer = Thread(target=written_until_it_is_away, args=(own,))
    writer.start()
    eventually(lambda: end_of(own) > 500)
    if signal == "kill":
        kill(own, "postgres")
    else:
        process = own.stack.postgres.pid_file.running()
        assert process is not None
        # PostgreSQL's immediate shutdown: no checkpoint, so that the next start recovers from the log.
        process.send_signal(SIGQUIT)
        eventually(lambda: own.stack.postgres.pid_file.running() is None)
    writer.join(60)
    assert not writer.is_alive()
    # At once: what is left of the killed server does not keep the new one from starting.
    own.stack.up()
    own.sql("INSERT INTO item (name) VALUES ('after the restart')")
    rows = table(own)
    assert len(rows) > 500
    waiting.eventually(
        lambda: restarted(own, watch) and raw_fold(own) == rows,
        PATIENCE_S,
        lambda: f"{len(rows)} rows, {own.connect.status(own.connector)}",
    )
    assert max(Counter(key for key, _ in raw_changes(own)).values()) == 1, "no row comes twice"
    assert fenced(own, watch) is None, "a server that comes back on its timeline has no gap"


def written_until_it_is_away(own: OwnCapture) -> None:
    """Transactions of 20 rows, one after the other; a minute at most."""
    until = time.monotonic() + 60
    try:
        with closing(own.stack.superuser_connection(own.provider)) as connection:
            while time.monotonic() < until:
                with connection, connection.cursor() as cursor:
                    cursor.execute("INSERT INTO item (name) SELECT 'l' || n FROM generate_series(1, 20) n")
    except psycopg2.Error:
        return


def restarted(own: OwnCapture, watch: Watch) -> bool:
    """Let the watch do its work: a task that failed while the server was away is started again."""
    watch.round()
    return own.connect.health(own.connector) is Health.RUNNING


@pytest.mark.soak
def test_a_column_added_in_the_middle_of_a_snapshot_loses_no_row_and_no_part_is_taken_for_the_whole(
    own: OwnCapture, memory: Path
) -> None:
    """An incremental snapshot reads chunk by chunk, so that the table changes between two of them.

    Debezium 3.7 gives the scan up then, with SQL_EXCEPTION for the table and COMPLETED for the snapshot; or
    its task fails with a null pointer, is started again by the watch, and goes on where it was, counting its
    rows from there.
    """
    watch = watch_of(own, memory)
    own.sql(f"INSERT INTO item (name) SELECT 'v' || n FROM generate_series(1, {ROWS}) n")
    eventually(lambda: len(raw_fold(own)) == ROWS + 3)
    before, told = end_of(own), len(raw_changes(own))
    ask_for_snapshot(own, "first")
    eventually(lambda: end_of(own) > before + 1_000)
    own.sql("ALTER TABLE item ADD COLUMN note text DEFAULT 'n'")
    own.sql("UPDATE item SET note = 'live', name = 'changed' WHERE id <= 3")
    own.sql("INSERT INTO item (name, note) VALUES ('added', 'live')")
    assert end_of(own) < before + ROWS, "the column came after the snapshot: nothing was shown"
    first = scanned(own, "first", watch)
    came = {key for key, _ in raw_changes(own)[told:]}
    assert first.failed is not None or came >= set(range(1, ROWS + 4)), first
    eventually(lambda: raw_fold(own) == table(own))
    ask_for_snapshot(own, "again")
    again = scanned(own, "again", watch)
    assert (again.failed, again.rows) == (None, ROWS + 4)
    oracle = dict(own.sql("SELECT id, note FROM item"))
    eventually(lambda: noted(own) == oracle)
    assert raw_fold(own) == table(own)


def noted(own: OwnCapture) -> dict[int, Any]:
    """The new column as the raw topic tells it; a row that was read before it came has none."""
    newest = dict(raw_changes(own))
    return {key: row["note"] for key, row in newest.items() if row is not None and "note" in row}


def ask_for_snapshot(own: OwnCapture, signal: str) -> None:
    """As an epoch does: over the signal topic."""
    producer = Producer(own.stack.kafka_config("admin"))
    data = {"data-collections": ["public.item"], "type": "INCREMENTAL"}
    value = json.dumps({"id": signal, "type": "execute-snapshot", "data": data})
    producer.produce(names.signal(own.provider), value, names.raw_prefix(own.provider), 0)
    assert producer.flush(15) == 0


def scanned(own: OwnCapture, signal: str, watch: Watch) -> Scan:
    """How the scan that was asked for ended, as an epoch takes it."""
    waiting.eventually(
        lambda: restarted(own, watch) and scan_of(notices(own), signal, "public.item").ended,
        PATIENCE_S,
        lambda: f"the snapshot: {notices(own)[-3:]}, {own.connect.status(own.connector)}",
    )
    return scan_of(notices(own), signal, "public.item")


def notices(own: OwnCapture) -> list[dict[str, Any]]:
    """What the connector has told."""
    settings = own.stack.kafka_config("admin") | {"group.id": "notices", "auto.offset.reset": "earliest"}
    consumer = Consumer(settings | {"enable.partition.eof": True, "isolation.level": "read_committed"})
    schemas, found = registry(own.stack), list[dict[str, Any]]()
    try:
        consumer.assign([TopicPartition(names.notifications(own.provider), 0, 0)])
        while True:
            for message in consumer.consume(100, 5.0):
                if message.error():
                    return found
                value = message.value() or b""
                (schema,) = struct.unpack(">I", value[1:5])
                body: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas.schema(schema), None)
                found.append(body)
    finally:
        consumer.close()
