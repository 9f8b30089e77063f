"""One suite for every store of positions: it only rises, and an exception undoes what was noted."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.errors import TransactionEndedByHandler
from consumers.positions import MemoryPositions, PositionStore, SqlitePositions
from topics.delivery import DeliveryOrder
from topics.event import SourcePosition

small = st.integers(min_value=0, max_value=2)
orders = st.builds(DeliveryOrder, small, st.builds(SourcePosition, small, small, small, small))


def order(commit: int) -> DeliveryOrder:
    return DeliveryOrder(1, SourcePosition(0, 0, commit, 0))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PositionStore]:
    if request.param == "memory":
        yield MemoryPositions()
        return
    connection = sqlite3.connect(tmp_path / "positions.db")
    yield SqlitePositions(connection)
    connection.close()


def test_nothing_is_known_of_a_key_that_was_never_applied(store: PositionStore) -> None:
    assert store.applied("t", b"k") is None


def test_position_is_kept_per_topic_and_key(store: PositionStore) -> None:
    with store.transaction():
        store.advance("t", b"k", order(5))
    assert store.applied("t", b"k") == order(5)
    assert store.applied("t", b"other") is None
    assert store.applied("other", b"k") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noted=st.lists(orders, min_size=1, max_size=6), number=st.integers(min_value=0))
def test_position_is_the_greatest_that_was_noted(
    store: PositionStore, noted: list[DeliveryOrder], number: int
) -> None:
    key = f"{number}:{noted}".encode()
    for each in noted:
        with store.transaction():
            store.advance("t", key, each)
    assert store.applied("t", key) == max(noted)


def test_exception_undoes_what_was_noted(store: PositionStore) -> None:
    with store.transaction():
        store.advance("t", b"old", order(1))

    def failing() -> None:
        with store.transaction():
            store.advance("t", b"old", order(2))
            store.advance("t", b"old", order(3))
            store.advance("t", b"new", order(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert store.applied("t", b"old") == order(1)
    assert store.applied("t", b"new") is None


def test_largest_positions_are_kept_exactly(store: PositionStore) -> None:
    largest = 2**63 - 1
    greatest = DeliveryOrder(largest, SourcePosition(largest, largest, largest, largest))
    with store.transaction():
        store.advance("t", b"k", greatest)
    assert store.applied("t", b"k") == greatest


def test_sqlite_positions_outlive_the_process(tmp_path: Path) -> None:
    first = sqlite3.connect(tmp_path / "p.db")
    store = SqlitePositions(first)
    with store.transaction():
        store.advance("t", b"k", order(9))
    first.close()
    again = sqlite3.connect(tmp_path / "p.db")
    assert SqlitePositions(again).applied("t", b"k") == order(9)
    again.close()


def test_sqlite_effect_and_position_are_undone_together(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "p.db")
    store = SqlitePositions(connection)
    connection.execute("CREATE TABLE effect (name TEXT)")

    def failing() -> None:
        with store.transaction():
            connection.execute("INSERT INTO effect VALUES ('x')")
            store.advance("t", b"k", order(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert connection.execute("SELECT count(*) FROM effect").fetchone() == (0,)
    assert store.applied("t", b"k") is None
    connection.close()


def test_handler_that_commits_by_itself_is_told_so(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "p.db")
    store = SqlitePositions(connection)
    with pytest.raises(TransactionEndedByHandler), store.transaction():
        connection.commit()
    connection.close()
