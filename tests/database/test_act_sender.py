"""Acts leave the outbox for the ledger: each stands there once, wherever the sender dies."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.control.process.sending_acts import ActSender, act_of
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, Channel, append, append_all, pending
from tests.contract.act_ledger import MemoryBooks

WHEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ACT = Act("account-7", "case.approve", "case", "42", WHEN, "by article 3", {"level": 1, "in_part": False})


class Died(Exception):
    """The process was killed there."""


def sender(database: ControlDatabase, books: MemoryBooks) -> ActSender:
    return ActSender(database, books, lambda: WHEN)


def dies_at(moment: str) -> Callable[[str], None]:
    def die(now: str) -> None:
        if now == moment:
            raise Died

    return die


def owe(database: ControlDatabase, *objects: str) -> None:
    with database.begin() as connection:
        append_all(connection, [replace(ACT, object=each) for each in objects])


def test_acts_reach_the_ledger_in_their_order_with_what_they_say(control_database: ControlDatabase) -> None:
    owe(control_database, "1", "2")
    books = MemoryBooks()
    assert sender(control_database, books).turn()
    assert not sender(control_database, books).turn()
    assert [act.object for act in books.kept] == ["1", "2"]
    first = books.kept[0]
    assert (first.who, first.what, first.kind, first.reason) == (ACT.who, ACT.what, ACT.kind, ACT.reason)
    assert first.document == {"level": 1, "in_part": False}
    assert first.timestamp_ms == int(WHEN.timestamp() * 1000)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_sender_that_dies_loses_nothing_and_doubles_nothing(
    control_database: ControlDatabase, moment: str
) -> None:
    owe(control_database, "1", "2")
    books = MemoryBooks(dies=dies_at(moment))
    with pytest.raises(Died):
        sender(control_database, books).turn()
    owe(control_database, "3")
    books.dies = lambda _moment: None
    while sender(control_database, books).turn():
        pass
    assert [act.object for act in books.kept] == ["1", "2", "3"]


def test_a_second_sender_finds_nothing_to_do_while_the_first_is_at_work(
    control_database: ControlDatabase,
) -> None:
    owe(control_database, "1")
    other: list[bool] = []
    books = MemoryBooks(
        dies=lambda moment: other.append(sender(control_database, MemoryBooks()).turn())
        if moment == "before"
        else None
    )
    assert sender(control_database, books).turn()
    assert other == [False]


def test_an_act_that_is_not_committed_is_not_sent(control_database: ControlDatabase) -> None:
    books = MemoryBooks()
    with control_database.begin() as connection:
        append(connection, ACT)
        assert not sender(control_database, books).turn()
    assert sender(control_database, books).turn()


def test_a_restored_database_gives_another_act_of_the_same_number_another_id(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        append(connection, ACT)
        (entry,) = pending(connection, Channel.LEDGER)
    assert act_of(entry).id == act_of(entry).id
    assert act_of(replace(entry, act=replace(ACT, object="43"))).id != act_of(entry).id
