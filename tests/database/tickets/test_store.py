"""Tickets in a real database: what is written is what happened, once, in order, and never changed."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from services.control.store.database import ControlDatabase
from services.control.store.errors import ReadAgain
from services.control.store.outbox import acts_on
from services.control.store.tickets.reading import DistrustTicket, Wish, id_of, listed, load, watched
from services.control.store.tickets.tables import TICKETS
from services.control.store.tickets.work import (
    Answer,
    OrderDiffers,
    TicketMissing,
    take_report,
)
from services.control.store.tickets.writing import recount
from services.control.tickets.following import WATCHED
from services.control.tickets.life import Refused
from services.control.tickets.ticket import Given
from services.control.tickets.words import Action, Duty, State
from tests.database.tickets.filing import desk, file, read, take, taken
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    EVIDENCE,
    IN_STATE,
    NOW,
    PROVIDER,
    REPORTER,
    opening,
    reported,
)


@pytest.mark.parametrize("state", State)
def test_what_is_read_is_what_happened(control_database: ControlDatabase, state: State) -> None:
    wanted = IN_STATE[state]()
    file(control_database, wanted.opening.id)
    for event in wanted.events:
        brought = Given(
            event.text,
            event.refusal_reason,
            event.acceptable_if,
            event.evidence,
            event.reported,
            event.correction,
            event.receipts,
            event.told,
        )
        assert isinstance(take(control_database, wanted.opening.id, event.action, event.who, brought), Answer)
    assert read(control_database, wanted.opening.id) == wanted


def test_a_refused_order_leaves_nothing_behind(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    refused = take(control_database, filed.id, Action.ACCEPT, PROVIDER, key="k")
    assert isinstance(refused, Refused)
    assert read(control_database, filed.id).events == ()
    with control_database.begin() as connection:
        assert [each.what for each in acts_on(connection, "ticket", filed.id)] == ["ticket.report"]
    # Under the same key it may be given again, as another order.
    assert isinstance(take(control_database, filed.id, Action.DISPATCH, BUREAU, key="k"), Answer)


def test_a_report_with_a_gap_becomes_no_ticket(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        answer = take_report(connection, desk(), opening(evidence=()))
        assert isinstance(answer, Refused)
        assert listed(connection) == []


def test_an_order_that_is_repeated_is_carried_out_once(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    first = take(control_database, filed.id, Action.DISPATCH, BUREAU, seen=0, key="k")
    again = take(control_database, filed.id, Action.DISPATCH, BUREAU, seen=0, key="k")
    assert isinstance(first, Answer)
    assert again == replace(first, again=True)
    assert len(read(control_database, filed.id).events) == 1
    with pytest.raises(OrderDiffers):
        take(control_database, filed.id, Action.RETURN, BUREAU, seen=0, key="k")


def test_a_report_that_is_repeated_is_one_ticket_though_its_id_and_time_are_new(
    control_database: ControlDatabase,
) -> None:
    first = file(control_database, key="k")
    other = "0198a000-0000-7000-8000-000000000002"
    assert file(control_database, other, key="k", when=NOW + timedelta(seconds=9)) == replace(
        first, again=True
    )
    with pytest.raises(OrderDiffers):
        file(control_database, other, key="k", statement="姓名有误")
    with control_database.begin() as connection:
        assert len(listed(connection)) == 1


def test_who_has_seen_an_older_version_decides_nothing(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU))
    with pytest.raises(ReadAgain, match="version 1 now, and was seen at 0"):
        take(control_database, filed.id, Action.WITHDRAW, REPORTER, seen=0)
    assert isinstance(take(control_database, filed.id, Action.WITHDRAW, REPORTER, seen=1), Answer)


def test_of_two_who_decide_at_once_one_is_told_to_read_again(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU))
    ready = threading.Barrier(2, timeout=20)
    ended: list[Answer | Refused | ReadAgain] = []

    def decide(action: Action) -> None:
        ready.wait()
        try:
            ended.append(take(control_database, filed.id, action, PROVIDER, seen=1))
        except ReadAgain as error:
            ended.append(error)

    threads = [threading.Thread(target=decide, args=(each,)) for each in (Action.ACCEPT, Action.REFUSE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert sorted(type(each).__name__ for each in ended) == ["Answer", "ReadAgain"]
    assert len(read(control_database, filed.id).events) == 2


def test_there_is_no_ticket_of_an_unknown_id(control_database: ControlDatabase) -> None:
    with pytest.raises(TicketMissing):
        take(control_database, opening().id, Action.DISPATCH, BUREAU)
    with control_database.begin() as connection:
        assert (load(connection, UUID(opening().id)), id_of(connection, 1)) == (None, None)


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize("table", ["ticket_events", "dispute_changes"])
@pytest.mark.parametrize("statement", ["DELETE FROM {table}", "UPDATE {table} SET number = 99"])
def test_the_database_itself_refuses_to_change_history(
    control_database: ControlDatabase, table: str, statement: str
) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU))
    with pytest.raises(DBAPIError, match="never changed or deleted"), control_database.begin() as connection:
        connection.execute(text(statement.format(table=table)))
    assert len(read(control_database, filed.id).events) == 1


def test_nothing_is_decided_on_a_ticket_whose_row_says_otherwise(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    with control_database.begin() as connection:
        connection.execute(update(TICKETS).values(state="closed"))
    with pytest.raises(DistrustTicket, match="stored as closed at version 0"):
        take(control_database, filed.id, Action.DISPATCH, BUREAU)


@pytest.mark.requirement("A11-13")
def test_the_ledger_learns_who_did_what_and_nothing_that_was_written(
    control_database: ControlDatabase,
) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU), (Action.REFUSE, PROVIDER))
    with control_database.begin() as connection:
        acts = acts_on(connection, "ticket", filed.id)
    assert [each.what for each in acts] == ["ticket.report", "ticket.dispatch", "ticket.refuse"]
    assert acts[-1].facts == {
        "state": "refused",
        "version": 2,
        "department": "police",
        "reason": "RECORD_IS_RIGHT",
        "for": PROVIDER.person,
    }
    said = repr(acts)
    assert not [each for each in ("said in words", "bring a newer", "门牌号", EVIDENCE.title) if each in said]


def test_lists_show_what_is_wanted_page_by_page_and_what_is_overdue(
    control_database: ControlDatabase,
) -> None:
    ids = [f"0198a000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3)]
    for each in ids:
        file(control_database, each)
    taken(control_database, ids[1], (Action.DISPATCH, BUREAU), (Action.ACCEPT, PROVIDER))
    with control_database.begin() as connection:
        newest = listed(connection, limit=2)
        assert [str(each.id) for each in newest] == [ids[2], ids[1]]
        rest = listed(connection, before=newest[-1].number)
        assert [str(each.id) for each in rest] == [ids[0]]
        [found] = listed(connection, Wish(state=State.CORRECTING))
        assert (found.due_on, found.due_for, found.version) == (date(2026, 3, 16), Duty.CORRECT, 2)
        assert (found.reporter, found.provider, found.record) == (
            "health",
            "police",
            reported().contested.record,
        )
        for wish, count in (
            (Wish(provider="police"), 3),
            (Wish(provider="tax"), 0),
            (Wish(reporter="health", resource="population.person.v1"), 3),
            (Wish(overdue_on=date(2026, 3, 4)), 0),
            (Wish(overdue_on=date(2026, 3, 5)), 2),
        ):
            assert len(listed(connection, wish)) == count, wish
        assert [str(each) for each in watched(connection, WATCHED)] == [ids[1]]


def test_due_days_are_counted_anew_when_a_year_has_come(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    with control_database.begin() as connection:
        known = load(connection, UUID(filed.id))
        assert known is not None
        recount(connection, known, replace(CALENDAR, years=frozenset()), NOW)
        [line] = listed(connection)
    assert line.due_provisional is True
