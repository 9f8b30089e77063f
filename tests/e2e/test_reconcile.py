"""Reconciliation on the real stack: whatever is made to differ is found, and named for what it is."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import psycopg2
import pytest
from typer.testing import CliRunner

from producers.connect_client import ConnectClient
from producers.connector import connector_name, slot_name
from producers.slots import slot_report
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode
from services.cli.plan import access_of
from services.control.epochs.filters import range_of
from services.reconcile.compare import Kind
from services.stack.secret_files import write_private
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import delete, insert, number, renumber, update
from tests.stack_fixture import temporary_stack
from tests.support.reconciling import Reconciled, put, reconciled
from topics.canonical import partition_of
from topics.event import GrantId, KafkaRecord, ProviderId
from topics.sink import Sink
from topics.wire import frame, split

pytestmark = [pytest.mark.soak, pytest.mark.stack, pytest.mark.timeout(900)]

PERSONS, ENTERPRISES, ENROLMENTS = "population.person.v1", "legal.enterprise.v1", "social.enrolment.v1"
SHAPES = Path(__file__).parents[2] / "docs" / "cli"


@pytest.fixture(scope="module")
def city() -> Iterator[LiveCity]:
    """A city of its own: what is made to differ here, every other test's balance would find as well."""
    with temporary_stack() as stack:
        yield LiveCity.found(stack)


def person(city: LiveCity, **columns: Any) -> int:
    """A new person who is accepted."""
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), **columns))
    return row


def standing(city: LiveCity, row: int, resource: str = PERSONS) -> list[KafkaRecord]:
    """The canonical records of a source row, in their order."""
    with city.story.lookup() as lookup:
        return [
            record
            for record in city.records(f"resource.{resource}")
            if (lookup.decoder.key(record) or {})["record_id"] == str(row)
        ]


def kinds(found: Reconciled, row: int) -> list[Kind]:
    return [each.kind for each in found.of(row)]


@pytest.mark.requirement("A5-08")
def test_a_city_after_traffic_is_the_same_but_for_what_was_stopped(city: LiveCity) -> None:
    first, second, third = person(city), person(city), person(city)
    city.execute("police", update(first, name="改名", address=None))
    city.execute("police", renumber(second, number(second % 90_000 + 7)), delete(third))
    for resource in (PERSONS, ENTERPRISES, ENROLMENTS):
        answer = reconciled(city, resource).found.answer
        assert answer.same, answer.shown
        assert answer.compared.table.count > 0
        assert {each.explained for each in answer.shown} <= {"stopped"}
        assert all(each.reason for each in answer.shown)
        assert answer.timeliness.changes > 0


def test_the_command_answers_in_its_shape_and_the_last_answer_is_kept(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    code, answer = command("reconcile", ENTERPRISES)
    assert code == (5 if answer["explained"] else 0)
    jsonschema.validate(answer, json.loads((SHAPES / "reconcile.schema.json").read_text(encoding="utf-8")))
    assert all(each["record_id"] is None and each["source"] is None for each in answer["shown"])
    code, last = command("reconcile", ENTERPRISES, "--last")
    assert code == 0
    [proof] = last["proofs"]
    assert (proof["source_digest"], proof["cut"]) == (answer["source"]["digest"], answer["cut"]["position"])
    jsonschema.validate(last, json.loads((SHAPES / "reconcile.schema.json").read_text(encoding="utf-8")))
    refused = CliRunner().invoke(app, ["reconcile", "population.nobody.v1"]).exception
    assert isinstance(refused, CommandFailed)
    assert (refused.code, PERSONS in refused.remedy) == (ExitCode.USAGE, True)


@pytest.mark.requirement("A5-08")
def test_changes_during_the_comparison_are_never_taken_for_differences(city: LiveCity) -> None:
    rows = [person(city) for _ in range(20)]
    city.settle()
    with city.database("police") as connection, connection.cursor() as cursor:
        # Begun before the cut and committed after it, with rows that others change before and after.
        cursor.execute(*update(rows[0], name="之后"))
        city.execute("police", *(update(row, name="之前") for row in rows[1:]))

        def changes() -> None:
            city.execute("police", *(update(row, address="切点之后") for row in rows[1:10]), delete(rows[10]))
            connection.commit()
            city.settle()

        found = reconciled(city, PERSONS, between=changes)
    assert found.found.answer.behind >= 11
    assert found.found.answer.same, found.found.answer.shown
    city.settle()
    assert reconciled(city, PERSONS).found.answer.same


def test_a_lost_update_is_found_in_its_items_and_named_for_a_repair(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    row = person(city, name="旧名")
    city.settle()
    [old] = standing(city, row)
    city.execute("police", update(row, name="新名"))
    city.settle()
    put(city, old)
    found = reconciled(city, PERSONS)
    assert found.counts == {"different": 1}
    [shown] = found.of(row)
    assert (shown.items, shown.explained) == (("name",), None)
    assert found.found.where == f"\"id\" IN ('{row}')"
    code, answer = command("reconcile", PERSONS)
    assert (code, answer["same"], answer["differences"]["different"]) == (1, False, 1)
    assert str(row) not in json.dumps(answer["shown"])
    where = city.stack.settings.home / "reconcile" / f"{PERSONS}.where"
    assert answer["repair"] == f"govbus snapshot start {PERSONS} --where=id:hash={range_of(str(row))}"
    assert (where.read_text(encoding="utf-8"), where.stat().st_mode & 0o777) == (found.found.where, 0o600)
    code, epoch = command(*answer["repair"].split()[1:])
    assert (code, epoch["swept"]) == (0, 0)
    # One of 65,536 ranges: the row, and by chance one more.
    assert 1 <= epoch["rows_scanned"] <= epoch["keys_seen"] <= 5
    assert reconciled(city, PERSONS).counts == {}
    status = command("snapshot", "status", PERSONS)[1]
    assert (status["state"], status["where"]) == ("ended", [f"id:hash={range_of(str(row))}"])


def test_a_filtered_repair_withdraws_nothing_outside_of_its_filter(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    row = person(city)
    city.settle()
    [record] = standing(city, row)
    inside, outside = str(city.new_id()), str(city.new_id())
    with city.story.lookup() as lookup:
        fields = dict(lookup.decoder.key(record) or {})
        schema_id, _ = split(record.key or b"")
        codec = lookup.codecs(record)[schema_id]
        keys = {
            each: frame(schema_id, codec.encode({**fields, "record_id": each})) for each in (inside, outside)
        }
    put(city, *(replace(record, key=key) for key in keys.values()))
    assert reconciled(city, PERSONS).counts == {"extra": 2}
    where = f"id:hash={range_of(inside)}"
    assert range_of(inside) != range_of(outside)
    waits = CliRunner().invoke(app, ["snapshot", "start", PERSONS, "--where", where]).exception
    assert isinstance(waits, CommandFailed)
    assert waits.code == ExitCode.NEGATIVE
    assert f"--where={where} --confirm-shrink" in waits.remedy, (str(waits), waits.remedy)
    code, epoch = command("snapshot", "start", PERSONS, "--where", where, "--confirm-shrink")
    assert (code, epoch["swept"]) == (0, 1)
    city.settle()
    left = {each.key: each.value for each in city.records(f"resource.{PERSONS}")}
    assert (left[keys[inside]], left[keys[outside]] is None) == (None, False)
    put(city, replace(record, key=keys[outside], value=None))
    assert reconciled(city, PERSONS).counts == {}


def test_a_duplicated_key_is_found(city: LiveCity) -> None:
    row = person(city)
    city.settle()
    [record] = standing(city, row)
    with city.story.lookup() as lookup:
        fields = dict(lookup.decoder.key(record) or {})
        identity = f"resident_id:{number(row % 90_000 + 11)}"
        schema_id, _ = split(record.key or b"")
        codec = lookup.codecs(record)[schema_id]
        key = frame(schema_id, codec.encode({**fields, "identity": identity}))
    twin = replace(record, key=key, partition=partition_of(identity, 4))
    put(city, twin)
    found = reconciled(city, PERSONS)
    assert (found.counts, kinds(found, row)) == ({"duplicated": 1}, [Kind.DUPLICATED])
    put(city, replace(twin, value=None))
    assert reconciled(city, PERSONS).counts == {}


def test_a_row_that_the_topic_lost_is_found(city: LiveCity) -> None:
    row = person(city)
    city.settle()
    [record] = standing(city, row)
    put(city, replace(record, value=None))
    found = reconciled(city, PERSONS)
    assert (found.counts, kinds(found, row)) == ({"lost": 1}, [Kind.LOST])
    put(city, record)
    assert reconciled(city, PERSONS).counts == {}


@pytest.mark.requirement("A5-08")
def test_a_toast_hole_is_found_and_explained_by_what_was_stopped(city: LiveCity) -> None:
    row = city.new_id()
    table = "public.enterprise"
    columns = "id, credit_code, name, legal_representative, status, district, updated_at"
    values = (row, "91320508MA1MTX7C8H", "大值公司", "长" * 4_000, "1", "320508")
    with city.database("market_regulation") as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT credit_code, status FROM public.enterprise WHERE id < 1000 LIMIT 1")
        code, status = cursor.fetchone() or ("", "")
        cursor.execute(f"ALTER TABLE {table} ALTER legal_representative SET STORAGE EXTERNAL")
        cursor.execute(f"ALTER TABLE {table} REPLICA IDENTITY DEFAULT")
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES (%s, %s, %s, %s, %s, %s, now())",
            (row, code, values[2], values[3], status, "320508"),
        )
    try:
        city.settle("market_regulation")
        assert reconciled(city, ENTERPRISES).of(row) == []
        city.execute("market_regulation", (f"UPDATE {table} SET name = '改名公司' WHERE id = %s", (row,)))
        city.settle("market_regulation")
        found = reconciled(city, ENTERPRISES)
        [shown] = found.of(row)
        assert (shown.kind, shown.explained, shown.reason) == (Kind.DIFFERENT, "stopped", "ITEM_UNAVAILABLE")
        assert shown.items == ("name",)
        assert found.found.answer.same
        [record] = standing(city, row, ENTERPRISES)
        put(city, holed(city, record))
        [shown] = reconciled(city, ENTERPRISES).of(row)
        assert "legal_representative" in shown.items
        assert shown.reason is not None
    finally:
        city.execute(
            "market_regulation",
            (f"ALTER TABLE {table} REPLICA IDENTITY FULL", ()),
            (f"DELETE FROM {table} WHERE id = %s", (row,)),
        )
        city.settle("market_regulation")
    assert reconciled(city, ENTERPRISES).found.answer.same


def holed(city: LiveCity, record: KafkaRecord) -> KafkaRecord:
    """The canonical record as a gate would have written it that took the placeholder for a value."""
    with city.story.lookup() as lookup:
        schema_id, avro = split(record.value or b"")
        codec = lookup.codecs(record)[schema_id]
        envelope = dict(codec.decode(avro))
        state: dict[str, Any] = dict(envelope["state"])  # type: ignore[call-overload]
        state["legal_representative"] = "__debezium_unavailable_value"
        return replace(record, value=frame(schema_id, codec.encode({**envelope, "state": state})))


def test_a_row_deleted_behind_the_connectors_back_is_found(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    """The slot is dropped, a row is deleted, the slot is made anew, and the capture reads the table again."""
    provider = ProviderId("police")
    name, slot = connector_name(provider), slot_name(provider)
    gone, kept = person(city), person(city)
    city.settle()
    with city.nobody_recovers(), closing(access_of(city.stack).connect()) as client:
        away(city, client, name, slot)
        city.execute("police", ("SELECT pg_drop_replication_slot(%s)", (slot,)), delete(gone))
        city.execute("police", ("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,)))
        client.reset_offsets(name)
        assert command("apply")[0] == 0
    city.settle()
    found = reconciled(city, PERSONS)
    assert (kinds(found, gone), kinds(found, kept)) == ([Kind.EXTRA], [])
    held = held_by_education(city)
    code, epoch = command("snapshot", "start", PERSONS)
    assert (code, epoch["swept"]) == (0, 1)
    city.settle()
    assert reconciled(city, PERSONS).counts == {}
    # By the normal line, and for that row alone.
    assert held_by_education(city) == held - 1


def test_a_full_volume_that_would_take_too_much_waits_removes_nothing_and_can_be_given_up(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = person(city)
    city.settle()
    [record] = standing(city, row)
    with city.story.lookup() as lookup:
        fields = dict(lookup.decoder.key(record) or {})
        schema_id, _ = split(record.key or b"")
        codec = lookup.codecs(record)[schema_id]
        key = frame(schema_id, codec.encode({**fields, "record_id": str(city.new_id())}))
    put(city, replace(record, key=key))
    monkeypatch.setenv("GOVBUS_EPOCH_SHRINK_PERCENT", "0")
    waits = CliRunner().invoke(app, ["snapshot", "start", PERSONS]).exception
    assert isinstance(waits, CommandFailed)
    assert (waits.code, "nothing was removed" in str(waits)) == (ExitCode.NEGATIVE, True)
    assert command("snapshot", "status", PERSONS)[1]["state"] == "waiting"
    assert key in {each.key for each in city.records(f"resource.{PERSONS}") if each.value is not None}
    assert command("snapshot", "abort", PERSONS)[1]["state"] == "aborted"
    put(city, replace(record, key=key, value=None))
    assert reconciled(city, PERSONS).counts == {}


def held_by_education(city: LiveCity) -> int:
    """How many persons stand on the topic of the department that has a grant to all of them."""
    return sum(value is not None for value in city.state(city.topic_of("education-persons")).values())


def away(city: LiveCity, client: ConnectClient, name: str, slot: str) -> None:
    client.stop(name)
    wait_until(lambda: not client.status(name).tasks, "the tasks to end")

    def unread() -> bool:
        with city.database("police") as connection:
            found = {report.name: report for report in slot_report(connection)}.get(slot)
        return found is None or not found.active

    wait_until(unread, "nobody to read the slot")


HEALTH = GrantId("health-persons-gusu")
DATABASE, ROLE = "reconciled_copy", "reconciled_writer"


@pytest.fixture
def copy(city: LiveCity) -> Iterator[tuple[Sink, Callable[..., list[tuple[Any, ...]]]]]:
    """A sink of a grant, and its database's owner at the keyboard."""
    password = secrets.token_hex(12)
    city.stack.create_database(DATABASE, ROLE, password)
    path = city.stack.context.layout.connect_secrets / f"{DATABASE}.properties"
    write_private(path, f"user={ROLE}\npassword={password}\n")
    endpoints = city.stack.endpoints()
    where = f"host={endpoints.postgres_host} port={endpoints.postgres_port} dbname={DATABASE} user={ROLE}"

    def sql(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(where, password=password)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    sink = Sink(grant=HEALTH, database=DATABASE, table="public.person", evolves=True)
    definitions = replace(city.definitions, sinks={HEALTH: sink})
    for problem in city.apply(definitions).held_back.get("sink.health-persons-gusu", []):
        sql(problem["remedy"])
    city.apply(definitions)
    yield sink, sql
    city.apply(city.definitions)
    path.unlink()


@pytest.mark.requirement("A7-06")
def test_a_value_changed_in_a_sink_is_found_and_so_is_a_row_that_somebody_took(
    city: LiveCity, copy: tuple[Sink, Callable[..., list[tuple[Any, ...]]]]
) -> None:
    sink, sql = copy
    for _ in range(3):
        person(city)
    city.settle()
    table = "SELECT 1 FROM pg_tables WHERE tablename = 'person'"
    wait_until(lambda: bool(sql(table)), "the sink's table")
    found = reconciled(city, PERSONS, [sink])
    assert found.of_sink() == []
    assert found.found.answer.sinks[0].compared is not None
    assert found.found.answer.sinks[0].compared.table.count > 0
    changed, taken = (key for (key,) in sql("SELECT pseudonym FROM person ORDER BY 1 LIMIT 2"))
    sql("UPDATE person SET name = name || '改' WHERE pseudonym = %s", changed)
    sql("DELETE FROM person WHERE pseudonym = %s", taken)
    found = reconciled(city, PERSONS, [sink])
    assert {each.record_id: each.kind for each in found.of_sink()} == {
        changed: Kind.DIFFERENT,
        taken: Kind.LOST,
    }
    assert not found.found.answer.same
    assert found.counts == {}
