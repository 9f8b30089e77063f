"""Every way to lose changes between a database and its raw topic, with the table as the oracle."""

import io
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
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
from tests.integration.standby import standby

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


def away(own: OwnCapture) -> None:
    """Stop the connector, until nobody reads its slot."""
    own.connect.stop(own.connector)
    eventually(lambda: not own.connect.status(own.connector).tasks)
    eventually(lambda: not slot_of(own)[0])


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
                if message.value() is not None:
                    found.append((decoded(message.key())["id"], decoded(message.value())["after"]))
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


def test_a_provider_killed_between_two_transactions_loses_nothing_and_is_not_fenced(
    own: OwnCapture, memory: Path
) -> None:
    watch = watch_of(own, memory)
    assert fenced(own, watch) is None
    own.sql("INSERT INTO item (name) SELECT 'before' FROM generate_series(1, 2000)")
    half = own.stack.superuser_connection(own.provider)
    with half.cursor() as cursor:
        cursor.execute("INSERT INTO item (name) SELECT 'never committed' FROM generate_series(1, 500)")
    kill(own, "postgres")
    half.close()
    own.stack.up()
    own.sql("DELETE FROM item WHERE id <= 2")
    own.sql("UPDATE item SET name = 'after' WHERE id = 3")
    eventually(lambda: raw_fold(own) == table(own))
    assert fenced(own, watch) is None, "the same server on the same timeline has all of its log"


def test_a_table_that_changes_in_mid_snapshot_is_whole_afterwards(stack: Stack) -> None:
    with own_capture(stack, "ddl", rows=60_000) as own:
        own.start()
        eventually(lambda: end_of(own) > 2_000)
        # Waits for the snapshot's lock on the table, as the provider's own migration would, or does not.
        own.sql("ALTER TABLE item ADD COLUMN added text DEFAULT 'd'")
        own.sql("INSERT INTO item (name, added) VALUES ('after the change', 'x')")
        own.sql("UPDATE item SET name = 'changed' WHERE id = 7")
        own.sql("DELETE FROM item WHERE id = 8")
        eventually(lambda: len(raw_fold(own)) >= 60_000)
        eventually(lambda: raw_fold(own) == table(own))


def made_again(own: OwnCapture) -> None:
    own.sql("INSERT INTO item (name) VALUES ('lost')")
    own.sql(f"SELECT pg_drop_replication_slot('{own.slot}')")
    own.sql(f"SELECT pg_create_logical_replication_slot('{own.slot}', 'pgoutput')")


def advanced(own: OwnCapture) -> None:
    own.sql("INSERT INTO item (name) VALUES ('lost')")
    own.sql(f"SELECT pg_replication_slot_advance('{own.slot}', pg_current_wal_lsn())")


def dropped(own: OwnCapture) -> None:
    own.sql("INSERT INTO item (name) VALUES ('lost')")
    own.sql(f"SELECT pg_drop_replication_slot('{own.slot}')")


@pytest.mark.parametrize(
    ("lose", "said"),
    [(made_again, "made again or advanced"), (advanced, "made again or advanced"), (dropped, "slot is gone")],
)
def test_a_slot_that_does_not_reach_back_is_noticed_and_nothing_goes_on_over_the_gap(
    own: OwnCapture, memory: Path, lose: Callable[[OwnCapture], None], said: str
) -> None:
    assert fenced(own, watch_of(own, memory)) is None
    away(own)
    lose(own)
    own.connect.resume(own.connector)
    # A watch that was not there when it happened: what it compares with is in the file and in Connect.
    watch = watch_of(own, memory)
    assert said in str(eventually(lambda: fenced(own, watch)))
    eventually(lambda: own.connect.health(own.connector) is Health.STOPPED)
    own.sql("INSERT INTO item (name) VALUES ('after the gap')")
    assert set(raw_fold(own)) == {1, 2, 3}, "nothing goes on behind the gap"
    if lose is dropped:
        own.sql(f"SELECT pg_create_logical_replication_slot('{own.slot}', 'pgoutput')")


def test_a_failover_to_a_server_with_a_lagging_slot_is_noticed(own: OwnCapture, memory: Path) -> None:
    assert fenced(own, watch_of(own, memory)) is None
    with standby(own.stack) as second:
        # The slot of the standby waits for what the primary says about running transactions.
        make = partial(second.sql, f"SELECT pg_create_logical_replication_slot('{own.slot}', 'pgoutput')")
        _while_told(own, lambda: make(own.provider))
        own.sql("INSERT INTO item (name) VALUES ('replicated')")
        eventually(lambda: 4 in raw_fold(own))
        eventually(lambda: second.sql("SELECT count(*) FROM item", own.provider) == [(4,)])
        away(own)
        second.promote()
        second.sql("DELETE FROM item WHERE id = 1", own.provider)
        moved = own.connect.config(own.connector) | {"database.port": str(second.port)}
        own.connect.put_config(own.connector, moved)
        watch = watch_of(own, memory)
        assert "timeline 1, the server is on 2" in str(eventually(lambda: fenced(own, watch)))
        assert own.connect.health(own.connector) is Health.STOPPED
        again = moved | {"transforms.incarnation.value.literal": "2"}
        own.connect.reset_offsets(own.connector)
        own.connect.put_config(own.connector, again)
        own.connect.resume(own.connector)
        assert fenced(own, watch) is None, "taken anew, it is whole"
        eventually(lambda: len([1 for key, _ in raw_changes(own) if key == 4]) == 2)
        assert {2, 3, 4} <= set(raw_fold(own))
        own.connect.stop(own.connector)
        eventually(lambda: not own.connect.status(own.connector).tasks)


def _while_told(own: OwnCapture, make: Callable[[], Any]) -> None:
    """Run it in a thread while the primary logs its snapshots."""
    thread = Thread(target=make)
    thread.start()

    def told() -> bool:
        own.sql("SELECT pg_log_standby_snapshot()")
        thread.join(0.5)
        return not thread.is_alive()

    eventually(told)
