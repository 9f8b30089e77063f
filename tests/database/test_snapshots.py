"""Snapshots: replaced whole, never by an older one, and kept with a note where they cannot be renewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.control.store.database import ControlDatabase
from services.control.store.snapshots import (
    Kind,
    Seen,
    Snapshot,
    Trouble,
    all_of,
    note_trouble,
    one,
    put,
    some_of,
)

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def test_what_was_put_is_read_with_its_moment(control_database: ControlDatabase) -> None:
    documents: dict[str, dict[str, Any]] = {"a.v1": {"records": 2**40, "last": None}, "b.v1": {"records": 1}}
    with control_database.begin() as connection:
        assert put(connection, Kind.RESOURCE, documents, NOON)
    with control_database.reading() as connection:
        assert all_of(connection, Kind.RESOURCE) == Snapshot(NOON, documents)
        assert some_of(connection, Kind.RESOURCE, ["b.v1", "c.v1"]).documents == {"b.v1": {"records": 1}}
        assert one(connection, Kind.RESOURCE, "b.v1") == Seen(NOON, {"records": 1})
        assert one(connection, Kind.RESOURCE, "c.v1") is None
        assert all_of(connection, Kind.GRANT) == Snapshot(None, {})


def test_a_snapshot_replaces_the_one_before_whole(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        put(connection, Kind.GRANT, {"gone": {}, "stays": {"lag": 1}}, NOON)
        put(connection, Kind.GRANT, {"stays": {"lag": 2}, "new": {}}, LATER)
        assert all_of(connection, Kind.GRANT) == Snapshot(LATER, {"stays": {"lag": 2}, "new": {}})
        put(connection, Kind.GRANT, {}, LATER)
        assert all_of(connection, Kind.GRANT) == Snapshot(LATER, {})


def test_an_older_snapshot_changes_nothing(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        put(connection, Kind.TOPIC, {"raw": {"records": 2}}, LATER)
        assert not put(connection, Kind.TOPIC, {"raw": {"records": 1}}, NOON)
        assert all_of(connection, Kind.TOPIC) == Snapshot(LATER, {"raw": {"records": 2}})


def test_trouble_leaves_what_was_seen_and_keeps_its_first_moment_until_it_is_over(
    control_database: ControlDatabase,
) -> None:
    seen = {"capture.police": {"state": "RUNNING"}}
    with control_database.begin() as connection:
        put(connection, Kind.CONNECTOR, seen, NOON)
        note_trouble(connection, Kind.CONNECTOR, "Connect does not answer", LATER)
        note_trouble(connection, Kind.CONNECTOR, "Connect refuses", LATER + timedelta(minutes=5))
        found = all_of(connection, Kind.CONNECTOR)
        assert found == Snapshot(NOON, seen, Trouble("Connect refuses", LATER))
        put(connection, Kind.CONNECTOR, seen, LATER)
        assert all_of(connection, Kind.CONNECTOR) == Snapshot(LATER, seen)


def test_trouble_before_the_first_look_is_told_too(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        note_trouble(connection, Kind.ALARM, "the watch does not answer", NOON)
        assert all_of(connection, Kind.ALARM) == Snapshot(
            None, {}, Trouble("the watch does not answer", NOON)
        )
