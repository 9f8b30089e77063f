"""The index of the trace: made in turns that may die, nothing left out, kept as long as it must be."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from services.control.process.loops import NotYet
from services.control.process.tracing import indexing
from services.control.retention.floor import SIX_MONTHS, Floor
from services.control.store.database import ControlDatabase
from services.control.store.trace.acquired import Moved, note_moved
from services.control.store.trace.tables import TRACE_DELIVERIES, TRACE_PLACES, TRACE_SUBJECTS
from services.control.store.trace.writing import forget, state
from services.control.tracing.answer import Why
from services.ledger.counts import Place
from tests.database.trace.city import ANNA, BERT, CHEN, DAY, row, said, traced
from tests.support.memory_bus import MemoryCity
from tests.support.tracing import NOW, number, received, turn_of
from topics.event import TopicName
from topics.names import POLICY


@pytest.mark.parametrize(("limit", "batch"), [(1, 1), (2, 3), (7, 2), (10_000, 1)])
def test_an_index_made_in_small_turns_is_the_same(
    control_database: ControlDatabase, city: MemoryCity, limit: int, batch: int
) -> None:
    turn = turn_of(control_database, city, limit=limit, batch=batch)
    turns = 1
    while turn.turn():
        assert extent_until(control_database) is None, "no part of it may pass for the whole"
        turns += 1
        assert turns < 500
    for resident, record in ((ANNA, "1"), (BERT, "2"), (CHEN, "3")):
        found = traced(control_database, resident)
        assert said(found) == received(city, (resident, record))
        assert len(found.recipients) == len(said(found))


@pytest.mark.parametrize(("limit", "batch"), [(1, 1), (7, 2), (10_000, 1)])
def test_who_is_in_the_index_is_there_with_everybody_who_received_it(
    control_database: ControlDatabase,
    city: MemoryCity,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    batch: int,
) -> None:
    turn = turn_of(control_database, city, limit=limit, batch=batch)
    write = type(turn)._write

    def watched(self: Any, batch: Any) -> None:
        write(self, batch)
        found = traced(control_database, CHEN)
        assert not found.records or said(found) == received(city, (CHEN, "3"))

    monkeypatch.setattr(type(turn), "_write", watched)
    while turn.turn():
        pass
    assert traced(control_database, CHEN).records


def extent_until(database: ControlDatabase) -> datetime | None:
    with database.begin() as connection:
        found = state(connection)
    return None if found is None else found.complete_until


def test_a_turn_that_dies_in_between_leaves_nothing_out_and_nothing_twice(
    control_database: ControlDatabase, city: MemoryCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = turn_of(control_database, city, batch=2)
    whole = type(turn)._write
    calls: list[int] = []

    def dies(self: Any, batch: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise ConnectionError("killed")
        whole(self, batch)

    monkeypatch.setattr(type(turn), "_write", dies)
    with pytest.raises(ConnectionError):
        turn.turn()
    assert extent_until(control_database) is None
    while turn.turn():
        pass
    found = traced(control_database, ANNA)
    assert said(found) == received(city, (ANNA, "1"))
    assert len(found.recipients) == len(said(found))


def test_what_comes_later_is_indexed_by_the_next_turn(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn = turn_of(control_database, city)
    turn.turn()
    city.change("c", after=row(8, number(8)))
    city.pump()
    assert traced(control_database, number(8)).why_empty is Why.UNKNOWN_SUBJECT
    turn.turn()
    assert said(traced(control_database, number(8))) == received(city, (number(8), "8"))


@pytest.mark.requirement("A11-01")
def test_what_may_have_been_compacted_before_it_was_read_is_said(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    late = NOW + 8 * DAY
    turn_of(control_database, city, now=lambda: late).turn()
    assert traced(control_database, ANNA).extent.incomplete_before == late - 7 * DAY
    later = late + 9 * DAY
    turn_of(control_database, city, now=lambda: later).turn()
    assert traced(control_database, ANNA).extent.incomplete_before == later - 7 * DAY
    soon = later + DAY
    turn_of(control_database, city, now=lambda: soon).turn()
    found = traced(control_database, ANNA).extent
    assert (found.complete_until, found.incomplete_before) == (soon, later - 7 * DAY)


def test_a_topic_that_was_made_anew_is_read_again_and_what_is_missing_is_said(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    with control_database.begin() as connection:
        connection.execute(TRACE_PLACES.update().values(next_offset=TRACE_PLACES.c.next_offset + 1_000))
    turn_of(control_database, city).turn()
    assert traced(control_database, ANNA).extent.incomplete_before == NOW


def test_records_that_say_nobody_are_counted_and_told(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    city.memory.add("resource.population.person.v1", 0, b"x", b"no envelope")
    turn_of(control_database, city).turn()
    assert traced(control_database, ANNA).extent.untraceable == 1


def test_nothing_is_indexed_before_the_first_policy(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    del city.memory.ends[Place(TopicName(POLICY), 0)]
    with pytest.raises(NotYet, match="govbus apply"):
        turn_of(control_database, city).turn()


def test_rows_of_before_the_retention_are_removed_in_portions(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()

    def rows() -> int:
        with control_database.begin() as connection:
            tables = (TRACE_SUBJECTS, TRACE_DELIVERIES)
            return sum(len(connection.execute(table.select()).all()) for table in tables)

    before, later_ms = rows(), int((NOW + DAY).timestamp() * 1000)
    with control_database.begin() as connection:
        assert forget(connection, 1, 100) == 0
        assert forget(connection, later_ms, 1) == 2
    assert rows() == before - 2
    with control_database.begin() as connection:
        forget(connection, later_ms, 10_000)
    assert rows() == 0


@pytest.mark.requirement("A11-01")
@pytest.mark.parametrize(("demanded", "kept"), [(None, 400), (184, 400), (1_000, 1_000)])
def test_the_index_is_kept_as_long_as_the_strictest_pack_demands_and_says_from_when_on(
    control_database: ControlDatabase,
    city: MemoryCity,
    monkeypatch: pytest.MonkeyPatch,
    demanded: int | None,
    kept: int,
) -> None:
    days = demanded or SIX_MONTHS
    monkeypatch.setattr(indexing, "adopted_floor", lambda _: Floor(days))
    turn_of(control_database, city).turn()
    with control_database.begin() as connection:
        connection.execute(text("UPDATE trace_deliveries SET at_ms = :at"), {"at": ms(NOW)})
        connection.execute(text("UPDATE trace_subjects SET at_ms = :at"), {"at": ms(NOW)})
        note_moved(connection, [Moved("g", "health", 0, 5)], NOW)
    for days_later, left in ((kept - 1, True), (kept + 1, False)):
        later = NOW + days_later * DAY
        with control_database.begin() as connection:
            connection.execute(text("UPDATE trace_state SET complete_until = :at"), {"at": later})
        turn_of(control_database, city, now=partial(datetime.fromtimestamp, later.timestamp(), UTC)).turn()
        extent = traced(control_database, ANNA).extent
        assert bool(traced(control_database, ANNA).recipients) is left
        assert extent.incomplete_before == (None if left else later - kept * DAY)
        with control_database.begin() as connection:
            steps = connection.execute(text("SELECT count(*) FROM trace_acquired_steps")).scalar_one()
        assert bool(steps) is left


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
