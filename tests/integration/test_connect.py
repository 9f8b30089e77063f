"""Capture on the real parts: every shape that the gate has to read, and every trap."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Producer

from producers.connect_client import Written
from producers.connect_errors import ConnectorConfigInvalid
from producers.connect_status import Health
from producers.connector import (
    publication_name,
    slot_name,
)
from producers.debezium import is_unavailable
from producers.preflight import Level, preflight, refused
from producers.provider_setup import setup_sql
from services.stack.api import Stack
from tests.integration.captures import IDENTITY, KEYED, PERSON, Capture, Captured, new_provider, wait_for
from tests.support.watching import without_watch
from topics.event import Change, ControlReason, Operation
from topics.names import (
    raw_captured,
    raw_prefix,
    signal,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
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


@pytest.mark.requirement("A4-01", "A4-02", "A4-10", "A4-11")
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
    with without_watch(stack):
        lost.client.resume(lost.name)
        wait_for(lambda: lost.client.status(lost.name).has_failed)
        assert lost.client.health(lost.name) is Health.FAILED
        assert "no longer available" in (lost.client.status(lost.name).tasks[0].trace or "")
        assert lost.slot() is None
        lost.client.delete(lost.name)
