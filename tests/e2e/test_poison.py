"""What nobody can decide is set aside with its bytes, what cannot be decided yet waits; the rest goes on."""

import os
import signal
from typing import Any

import pytest
import requests
from confluent_kafka import Message, Producer

from services.ledger.coordinates import parse_coordinate
from services.ledger.explain import explain
from services.ledger.quarantine import Quarantined, release
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import insert, number, renumber, update
from topics.event import OutputRecord, SchemaId, TopicName
from topics.wire import frame

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

RAW = TopicName("raw.police.public.person")
WRONG = "320508199001010018"
NEVER_REGISTERED = SchemaId(2_000_000_000)


def append(city: LiveCity, *records: OutputRecord) -> list[str]:
    """Append records as they are; returns their coordinates."""
    written: list[str] = []

    def report(error: Any, message: Message) -> None:
        assert error is None, error
        written.append(f"{message.topic()}:{message.partition()}:{message.offset()}")

    producer = Producer(city.stack.kafka_config("admin"))
    for record in records:
        producer.produce(
            record.topic,
            key=record.key,
            value=record.value,
            partition=record.partition,
            headers=list(record.headers),
            on_delivery=report,
        )
    assert producer.flush(30) == 0
    return written


def readiness(city: LiveCity) -> dict[str, Any]:
    """What the first gate instance says of itself."""
    url = f"http://127.0.0.1:{city.stack.settings.processes_port}/readyz"
    answer: dict[str, Any] = requests.get(url, timeout=5).json()
    return answer


def truncated(city: LiveCity) -> bytes:
    """The beginning of a real change: framed, of a known schema, and not whole."""
    whole = next(record.value for record in city.records(RAW) if record.value)
    return whole[: len(whole) // 2]


@pytest.mark.requirement("A5-08")
def test_bytes_that_nobody_can_decode_are_quarantined_as_they_are_and_the_next_change_goes_on(
    city: LiveCity,
) -> None:
    poison = {
        b"poison-garbage": (b"{not avro}", "UNDECODABLE"),
        b"poison-short": (b"\x00\x01", "UNDECODABLE"),
        b"poison-schema": (frame(NEVER_REGISTERED, b"\x02\x04"), "UNKNOWN_SCHEMA"),
        b"poison-truncated": (truncated(city), "UNDECODABLE"),
    }
    partitions = city.definitions.resources[next(iter(city.definitions.grants.values())).resource].partitions
    headers = (("trace", b"\x00\xff"), ("empty", b""))
    written = append(
        city,
        *(
            OutputRecord(RAW, partition, key, value, headers)
            for key, (value, _) in poison.items()
            for partition in range(partitions)
        ),
    )
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="毒后一人"))
    city.settle()
    found = {entry.raw.coordinates: entry for entry in city.quarantined()}
    for coordinates in written:
        entry = found[coordinates]
        value, reason = poison[entry.raw.key or b""]
        assert (entry.raw.value, entry.raw.headers) == (value, headers)
        assert (entry.step, entry.reason) == ("decode", reason)
        assert entry.detail
    assert len(written) == len(poison) * partitions
    assert [items["name"] for items in city.of_record(row).values()] == ["毒后一人"]
    assert city.balance()["differences"] == []


def stopped_change(city: LiveCity, row: int, after: int = -1) -> Quarantined:
    """The newest stopped change of a row, at an offset above ``after``."""
    with city.story.lookup() as lookup:
        keys = {record.key for record in city.records(RAW) if _after(lookup.value(record)).get("id") == row}
    return [entry for entry in city.quarantined() if entry.raw.key in keys and entry.raw.offset > after][-1]


def test_a_release_after_a_newer_change_is_superseded(city: LiveCity) -> None:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="第一版"))
    city.execute("police", update(row, name="第二版", id_number=WRONG))
    city.settle()
    older = stopped_change(city, row)
    city.execute("police", update(row, name="第三版", id_number=number(row % 90_000)))
    city.settle()
    [nothing_pending] = append(city, release(older))
    city.execute("police", update(row, name="第四版", id_number=WRONG))
    city.settle()
    newer = stopped_change(city, row, older.raw.offset)
    [older_than_pending] = append(city, release(older))
    city.settle()
    assert newer.raw.offset > older.raw.offset
    with city.story.lookup() as lookup:
        for coordinates, reason in (
            (nothing_pending, "NOTHING_PENDING"),
            (older_than_pending, "OLDER_THAN_PENDING"),
        ):
            answer = explain(lookup, parse_coordinate(coordinates))
            assert (answer.outcome, answer.reason) == ("superseded", reason)
    assert [items["name"] for items in city.of_record(row).values()] == ["第三版"]
    assert city.balance()["differences"] == []


def test_a_stopped_key_is_remembered_by_whichever_gate_gets_its_partition(city: LiveCity) -> None:
    rows = [city.new_id() for _ in range(12)]
    for row in rows:
        city.execute("police", insert(row, number(row % 90_000)))
        city.execute("police", update(row, id_number=WRONG))
    city.settle()
    moved, moved_back = rows[:6], rows[6:]
    try:
        city.run_gates(2)
        for row in moved:
            city.execute("police", renumber(row, number(row % 90_000 + 5_000)))
        city.settle()
    finally:
        city.run_gates(1)
    for row in moved_back:
        city.execute("police", renumber(row, number(row % 90_000 + 5_000)))
    city.settle()
    canonical = city.canonical()
    for row in rows:
        mine = [identity for identity, record_id in canonical if record_id == str(row)]
        assert mine == [f"resident_id:{number(row % 90_000 + 5_000)}"], "the identity before it is withdrawn"
    assert city.balance()["differences"] == []


@pytest.mark.requirement("A4-01")
def test_while_the_registry_is_down_changes_of_a_new_schema_wait_and_nothing_is_lost(city: LiveCity) -> None:
    row = city.new_id()
    column = f"note_{row}"
    city.settle()
    gate, registry = city.pid("gate.0"), city.pid("registry")
    # Frozen, so that it has not asked for the new schema before the registry is gone.
    os.kill(gate, signal.SIGSTOP)
    try:
        city.execute("police", (f"ALTER TABLE public.person ADD COLUMN {column} text", ()))
        city.execute("police", insert(row, number(row % 90_000), name="等待的人", **{column: "新列"}))
        wait_until(lambda: has(city, "等待的人"), "the change to be captured")
        os.kill(registry, signal.SIGKILL)
    finally:
        os.kill(gate, signal.SIGCONT)
    try:
        wait_until(lambda: "schema registry" in str(readiness(city)["reasons"]), "the gate to say it waits")
        assert city.pid("gate.0") == gate, "waiting is no reason to end"
        health = requests.get(f"http://127.0.0.1:{city.stack.settings.processes_port}/healthz", timeout=5)
        assert health.status_code == 200
    finally:
        city.stack.up()
    city.settle()
    assert [items["name"] for items in city.of_record(row).values()] == ["等待的人"]
    wait_until(lambda: readiness(city)["ready"], "the gate to be ready")
    city.execute("police", (f"ALTER TABLE public.person DROP COLUMN {column}", ()))
    city.settle()
    assert city.balance()["differences"] == []


def has(city: LiveCity, text: str) -> bool:
    """Whether a raw record of a person holds that text."""
    return any(text.encode() in (record.value or b"") for record in city.records(RAW))


def _after(envelope: dict[str, Any] | None) -> dict[str, Any]:
    return (envelope or {}).get("after") or {}


@pytest.mark.requirement("A5-08")
def test_a_truncate_is_marked_on_the_resource_and_what_comes_after_it_is_shared(city: LiveCity) -> None:
    resource = "social.enrolment.v1"
    city.settle("social_security")
    before = city.canonical(resource)
    with city.database("social_security") as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM public.enrolment")
            cursor.execute("TRUNCATE public.enrolment")
        wait_until(lambda: "INCOMPLETE" in markers(city, resource), "the resource to be marked incomplete")
        assert city.canonical(resource) == before, "a truncate names no rows, so none is removed by it"
        with connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO public.enrolment SELECT * FROM kept")
    city.settle("social_security")
    assert city.canonical(resource).keys() >= before.keys()
    answer = city.balance()
    assert answer["differences"] == []


def markers(city: LiveCity, resource: str) -> list[str]:
    """The kinds of the markers on the resource's epochs topic."""
    with city.story.lookup() as lookup:
        values = [lookup.value(record) for record in city.records(f"epochs.{resource}")]
    return [str(value["kind"]) for value in values if value is not None]
