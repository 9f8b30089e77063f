"""A SQLite table that is kept in step holds exactly the newest state, also when the power fails."""

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.decoding import Decoder
from consumers.parking import ParkReason
from consumers.received import Received
from consumers.retry import Retry
from consumers.sqlite_table import SqliteTable, key_text
from consumers.subscriber import Subscriber
from tests.contract.subscribing import (
    FakeLog,
    FakeParking,
    FakeSchemas,
    FakeSource,
    delivered,
    subscriber_settings,
)
from tests.support.examples import examples
from topics.delivery import read_delivery
from topics.event import KafkaRecord


def received(value: dict[str, Any] | None, key: str = "a") -> Received:
    source = delivered(key, None if value is None else "x", 1)
    return Received(
        key={"pseudonym": key}, value=value, delivery=read_delivery(source.headers), source=source
    )


def feed(table: SqliteTable, log: FakeLog, handler: Any = None, parking: FakeParking | None = None) -> None:
    source = FakeSource(log)
    ends: dict[int, int] = {}
    for record in log.records:
        ends[record.partition] = record.offset + 1
    subscriber = Subscriber(
        subscriber_settings(),
        handler or table.apply,
        positions=table.positions,
        source=source,
        parking=parking or FakeParking(),
        decoder=Decoder(FakeSchemas()),
        retry=Retry(attempts=1),
        say=lambda _: None,
        sleep=lambda _: None,
    )
    subscriber.run(lambda: source._next == ends)


def rows(table: SqliteTable) -> dict[str, Any]:
    return dict(table.connection.execute("SELECT govbus_key, name FROM person").fetchall())


def test_rows_follow_creates_updates_and_tombstones(tmp_path: Path) -> None:
    log = FakeLog(
        [
            delivered("a", "one", 1, offset=0),
            delivered("b", "two", 2, offset=1),
            delivered("a", "three", 3, offset=2),
            delivered("b", None, 4, offset=3),
            delivered("b", "late", 2, offset=4),
        ]
    )
    with SqliteTable(tmp_path / "d.db", "person") as table:
        feed(table, log)
        assert rows(table) == {"a": "three"}


def test_effect_happens_once_though_nothing_was_committed_to_the_bus(tmp_path: Path) -> None:
    records = [delivered("a", "one", 1)]
    with SqliteTable(tmp_path / "d.db", "person") as table:
        table.connection.execute("CREATE TABLE effects (n INTEGER)")

        def handler(each: Received) -> None:
            table.connection.execute("INSERT INTO effects VALUES (1)")
            table.apply(each)

        feed(table, FakeLog(list(records)), handler)
        # A new log without committed offsets: the process died between its effect and the commit.
        feed(table, FakeLog(list(records)), handler)
        assert table.connection.execute("SELECT count(*) FROM effects").fetchone() == (1,)


def test_effect_of_a_refused_record_is_undone_and_its_position_stays(tmp_path: Path) -> None:
    parking = FakeParking()
    with SqliteTable(tmp_path / "d.db", "person") as table:

        def handler(each: Received) -> None:
            table.apply(each)
            raise ValueError

        log = FakeLog([delivered("a", "one", 1)])
        feed(table, log, handler, parking)
        assert [parked[1] for parked in parking.parked] == [ParkReason.HANDLER_FAILED]
        assert table.positions.applied(log.records[0].topic, log.records[0].key or b"") is None
        # The columns of the refused record are gone with it, and come again with the next one.
        feed(table, FakeLog([delivered("a", "two", 2)]))
        assert rows(table) == {"a": "two"}


def test_item_that_a_later_record_lacks_has_no_value_and_a_new_item_gets_a_column(tmp_path: Path) -> None:
    with SqliteTable(tmp_path / "d.db", "person") as table:
        table.apply(received({"name": "x", "street": "y"}))
        table.apply(received({"name": "x", "district": "z"}))
        found = table.connection.execute("SELECT name, street, district FROM person").fetchall()
        assert found == [("x", None, "z")]


@pytest.mark.parametrize(
    ("item", "stored"),
    [
        (None, None),
        (True, 1),
        (7, 7),
        ("文", "文"),
        (b"\x00", b"\x00"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (Decimal("10.50"), "10.50"),
        (["文", 1], '["文", 1]'),
        ({"a": date(2026, 1, 2)}, '{"a": "2026-01-02"}'),
    ],
)
def test_items_are_stored_in_a_form_that_sqlite_keeps(tmp_path: Path, item: Any, stored: Any) -> None:
    with SqliteTable(tmp_path / "d.db", "person") as table:
        table.apply(received({"item": item}))
        assert table.connection.execute("SELECT item FROM person").fetchone() == (stored,)


def test_names_cannot_break_out_of_their_quotes(tmp_path: Path) -> None:
    with SqliteTable(tmp_path / "d.db", 'per"son; DROP TABLE x') as table:
        table.apply(received({'na"me': "x"}))
        assert table.connection.execute('SELECT "na""me" FROM "per""son; DROP TABLE x"').fetchone() == ("x",)


def test_key_text_is_the_pseudonym_or_identity_and_record_id() -> None:
    assert key_text({"pseudonym": "p"}) == "p"
    assert key_text({"record_id": "7", "identity": "credit_code:9"}) == '["credit_code:9","7"]'


@examples(60)
@given(
    commits=st.permutations(range(6)),
    deletes=st.sets(st.integers(min_value=0, max_value=5)),
    keys=st.lists(st.sampled_from(["a", "b"]), min_size=6, max_size=6),
)
def test_any_order_of_arrival_ends_in_the_newest_state(
    commits: list[int], deletes: set[int], keys: list[str]
) -> None:
    def record(commit: int, offset: int) -> KafkaRecord:
        name = None if commit in deletes else f"n{commit}"
        return delivered(keys[commit], name, commit, offset=offset)

    newest = {keys[commit]: commit for commit in range(6)}
    expected = {key: f"n{commit}" for key, commit in newest.items() if commit not in deletes}
    table = SqliteTable(":memory:", "person")
    table.connection.execute("ALTER TABLE person ADD COLUMN name")
    feed(table, FakeLog([record(commit, offset) for offset, commit in enumerate(commits)]))
    assert rows(table) == expected
    table.close()


def test_table_is_an_ordinary_sqlite_file(tmp_path: Path) -> None:
    with SqliteTable(tmp_path / "d.db", "person") as table:
        feed(table, FakeLog([delivered("a", "one", 1)]))
    other = sqlite3.connect(tmp_path / "d.db")
    assert other.execute("SELECT name FROM person").fetchall() == [("one",)]
    other.close()
