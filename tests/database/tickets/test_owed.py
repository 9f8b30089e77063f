"""What tickets owe to others: notices to consumers, each told once, and one sequence of disputes."""

import threading
from uuid import UUID

import pytest

import topics.disputes
from services.control.store.database import ControlDatabase
from services.control.store.errors import CloseDisputes
from services.control.store.tickets.owed import dispute_changes, newest_change, notices_of, notices_owed
from services.control.store.tickets.work import (
    Answer,
    confirm_told,
)
from services.control.tickets.correction import Verdict
from services.control.tickets.life import Refused
from services.control.tickets.words import Action, NoticeKind
from tests.database.tickets.filing import TO_CORRECTED, desk, file, read, take, taken
from tests.support.tickets import (
    BUREAU,
    NOW,
    PROVIDER,
    RECEIPTS,
    REPORTER,
    SYSTEM,
    corrected,
    given,
    told,
)
from topics.disputes import folded


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
