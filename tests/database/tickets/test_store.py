"""Tickets in a real database: what is written is what happened, once, in order, and never changed."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

import topics.disputes
from services.control.cases.words import Actor
from services.control.store.database import ControlDatabase
from services.control.store.errors import CloseDisputes, ReadAgain
from services.control.store.ids import new_id
from services.control.store.outbox import acts_on
from services.control.store.tickets.owed import dispute_changes, newest_change, notices_of, notices_owed
from services.control.store.tickets.reading import DistrustTicket, Wish, id_of, listed, load, watched
from services.control.store.tickets.tables import TICKETS
from services.control.store.tickets.work import (
    Answer,
    Desk,
    OrderDiffers,
    TicketMissing,
    act,
    confirm_told,
    take_report,
)
from services.control.store.tickets.writing import recount
from services.control.tickets.correction import Verdict
from services.control.tickets.following import WATCHED
from services.control.tickets.life import Refused
from services.control.tickets.ticket import Given, Ticket
from services.control.tickets.words import Action, Duty, NoticeKind, State
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    EVIDENCE,
    IN_STATE,
    NOW,
    PROVIDER,
    RECEIPTS,
    REPORTER,
    SYSTEM,
    corrected,
    given,
    opening,
    reported,
    told,
)
from topics.disputes import folded


def desk(now: datetime = NOW, key: str | None = None, account: str = "chen") -> Desk:
    return Desk(account, now, CALENDAR, lambda: new_id(now), key)


def file(
    database: ControlDatabase, id_: str = opening().id, key: str | None = None, **changes: object
) -> Answer:
    with database.begin() as connection:
        answer = take_report(connection, desk(key=key), opening(id=id_, **changes))  # type: ignore[arg-type]
    assert isinstance(answer, Answer), answer
    return answer


def take(
    database: ControlDatabase,
    ticket: str,
    action: Action,
    actor: Actor,
    brought: Given | None = None,
    seen: int | None = None,
    now: datetime = NOW,
    key: str | None = None,
) -> Answer | Refused:
    with database.begin() as connection:
        return act(connection, desk(now, key), UUID(ticket), seen, action, actor, brought or given())


def taken(database: ControlDatabase, ticket: str, *steps: tuple[Action, Actor]) -> Answer:
    answer: Answer | Refused | None = None
    for action, actor in steps:
        answer = take(database, ticket, action, actor)
        assert isinstance(answer, Answer), answer
    assert isinstance(answer, Answer)
    return answer


TO_CORRECTED = (
    (Action.DISPATCH, BUREAU),
    (Action.ACCEPT, PROVIDER),
    (Action.LIST, SYSTEM),
    (Action.ARRIVE, SYSTEM),
)


def read(database: ControlDatabase, ticket: str) -> Ticket:
    with database.begin() as connection:
        filed = load(connection, UUID(ticket))
    assert filed is not None
    return filed.ticket


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
    }
    said = repr(acts)
    assert not [each for each in ("said in words", "bring a newer", "门牌号", EVIDENCE.title) if each in said]


@pytest.mark.requirement("A9-06")
def test_the_disputes_of_all_tickets_are_one_sequence_without_gaps(control_database: ControlDatabase) -> None:
    ids = [f"0198a000-0000-7000-8000-00000000000{number}" for number in range(1, 9)]
    for each in ids:
        file(control_database, each)
    ready = threading.Barrier(len(ids), timeout=20)

    def dispatch(ticket: str) -> None:
        ready.wait()
        take(control_database, ticket, Action.DISPATCH, BUREAU)

    threads = [threading.Thread(target=dispatch, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    taken(control_database, ids[0], (Action.REFUSE, PROVIDER))
    with control_database.begin() as connection:
        changes = list(dispute_changes(connection))
        assert newest_change(connection) == len(changes)
        assert list(dispute_changes(connection, after=8)) == changes[8:]
    found = folded(changes)
    assert (found.number, len(found.open)) == (9, 7)
    assert set(found.open) == {f"{each}.1" for each in ids[1:]}


def test_each_consumer_is_owed_one_notice_at_a_time_and_it_says_what_holds(
    control_database: ControlDatabase,
) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU), (Action.LIST, SYSTEM))
    with control_database.begin() as connection:
        first = notices_owed(connection)
    assert {(each.consumer, each.kind) for each in first} == {
        ("health", NoticeKind.DISPUTED),
        ("education", NoticeKind.DISPUTED),
    }
    with control_database.begin() as connection:
        confirm_told(connection, desk(), first[0], SYSTEM)
    taken(control_database, filed.id, (Action.REFUSE, PROVIDER))
    # Who was told of the dispute is told that it is over; who was not hears of nothing.
    with control_database.begin() as connection:
        [left] = notices_owed(connection)
        assert (left.consumer, left.kind) == (first[0].consumer, NoticeKind.UNFOUNDED)
        kept = notices_of(connection, UUID(filed.id))
    assert {(each.kind, each.told_at) for each in kept} == {
        (NoticeKind.DISPUTED, NOW),
        (NoticeKind.UNFOUNDED, None),
    }


def test_a_ticket_is_closed_once_the_last_notice_was_told(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, *TO_CORRECTED, (Action.CONFIRM, REPORTER), (Action.LIST, SYSTEM))
    while True:
        assert isinstance(take(control_database, filed.id, Action.CLOSE, SYSTEM), Refused)
        with control_database.begin() as connection:
            owed = notices_owed(connection, limit=1)
            for each in owed:
                assert isinstance(confirm_told(connection, desk(), each, SYSTEM), Answer)
            if not notices_owed(connection):
                break
    assert isinstance(take(control_database, filed.id, Action.CLOSE, SYSTEM), Answer)
    with control_database.begin() as connection:
        kept = notices_of(connection, UUID(filed.id))
    assert {(each.consumer, each.kind, each.told_at) for each in kept} == {
        ("health", NoticeKind.CORRECTED, NOW),
        ("education", NoticeKind.CORRECTED, NOW),
    }
    assert {each.notice for each in read(control_database, filed.id).told} == {str(each.id) for each in kept}


def test_two_senders_never_take_the_same_notice(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU), (Action.LIST, SYSTEM))
    with control_database.begin() as one, control_database.begin() as other:
        assert len(notices_owed(one, limit=1)) == 1
        assert len(notices_owed(other)) == 1


def test_a_notice_that_was_dropped_cannot_be_told(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, (Action.DISPATCH, BUREAU), (Action.LIST, SYSTEM))
    with control_database.begin() as connection:
        [stale, *_] = notices_owed(connection)
    taken(control_database, filed.id, (Action.ARRIVE, SYSTEM))
    with control_database.begin() as connection:
        assert isinstance(confirm_told(connection, desk(), stale, SYSTEM), Refused)


def test_after_an_error_came_back_a_new_notice_is_owed(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, *TO_CORRECTED)
    back = given(correction=corrected(31, Verdict.STANDING))
    take(control_database, filed.id, Action.REVERT, SYSTEM, back)
    with control_database.begin() as connection:
        assert {each.kind for each in notices_owed(connection)} == {NoticeKind.DISPUTED}


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


def test_what_was_told_of_one_grant_is_not_told_of_another(control_database: ControlDatabase) -> None:
    filed = file(control_database)
    taken(control_database, filed.id, *TO_CORRECTED)
    brought = given(told=told("health", "another-grant"))
    assert isinstance(take(control_database, filed.id, Action.TELL, SYSTEM, brought), Refused)
    assert len(RECEIPTS) == 2


def test_no_more_records_are_disputed_than_an_instance_of_the_fan_out_holds(
    control_database: ControlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics.disputes, "MOST_OPEN", 1)
    first = file(control_database)
    second = file(control_database, "0198a000-0000-7000-8000-000000000002")
    take(control_database, first.id, Action.DISPATCH, BUREAU)
    with pytest.raises(CloseDisputes, match="1 disputes are open"):
        take(control_database, second.id, Action.DISPATCH, BUREAU)
    assert read(control_database, second.id).events == ()
    take(control_database, first.id, Action.WITHDRAW, REPORTER)
    assert isinstance(take(control_database, second.id, Action.DISPATCH, BUREAU), Answer)
