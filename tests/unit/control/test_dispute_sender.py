"""What tickets owe to the topic of disputes is sent once and in order, whoever sends and whatever fails."""

from collections.abc import Iterable, Sequence

import pytest

from services.control.copy_transactions import EpochInterrupted
from services.control.dispute_sender import (
    DisputesDiverge,
    DisputeSender,
    DisputesNotReady,
    SendAgain,
    Writer,
)
from tests.support.tickets import contested
from topics.disputes import Act, DisputeChange, Folding, RefuseChange, folded


def opened(number: int) -> DisputeChange:
    return DisputeChange(number, Act.OPEN, f"t.{number}", contested("address"))


class Database:
    """The changes that tickets led to; a page has two."""

    def __init__(self) -> None:
        self.changes: list[DisputeChange] = []

    def newest(self) -> int:
        return len(self.changes)

    def after(self, number: int) -> Sequence[DisputeChange]:
        return self.changes[number : number + 2]


class Topic:
    """The topic, which one sender holds at a time."""

    def __init__(self) -> None:
        self.records: list[DisputeChange] = []
        self.transactions = 0
        self.opened = 0
        self.there = True
        self.fails_after_writing = False

    def open(self) -> tuple[Writer, Folding]:
        if not self.there:
            raise DisputesNotReady("no topic")
        self.opened += 1
        return Held(self, self.opened), Folding(folded(self.records))


class Held:
    def __init__(self, topic: Topic, number: int) -> None:
        self._topic, self._number = topic, number

    def write(self, changes: Iterable[DisputeChange]) -> None:
        if self._number != self._topic.opened:
            raise EpochInterrupted("fenced")
        self._topic.records += changes
        self._topic.transactions += 1
        if self._topic.fails_after_writing:
            self._topic.fails_after_writing = False
            raise EpochInterrupted("the answer did not come")


def test_what_is_owed_is_sent_once_and_in_order() -> None:
    database, topic = Database(), Topic()
    sender = DisputeSender(database, topic.open)
    assert sender.turn() == 0
    assert topic.opened == 0, "where nothing is owed the topic is left alone"
    database.changes = [opened(number) for number in range(1, 6)]
    assert sender.turn() == 5
    assert (sender.turn(), topic.opened, topic.transactions) == (0, 1, 3)
    database.changes.append(DisputeChange(6, Act.CLOSE, "t.1"))
    assert sender.turn() == 1
    assert topic.records == database.changes


def test_a_sender_that_is_started_anew_goes_on_where_the_topic_ends() -> None:
    database, topic = Database(), Topic()
    database.changes = [opened(1)]
    DisputeSender(database, topic.open).turn()
    database.changes.append(opened(2))
    assert DisputeSender(database, topic.open).turn() == 1
    assert topic.records == database.changes


def test_of_two_senders_the_later_one_writes_and_the_other_takes_the_topic_back_in_its_next_turn() -> None:
    database, topic = Database(), Topic()
    database.changes = [opened(1)]
    first, second = DisputeSender(database, topic.open), DisputeSender(database, topic.open)
    first.turn()
    database.changes.append(opened(2))
    second.turn()
    database.changes.append(opened(3))
    with pytest.raises(SendAgain):
        first.turn()
    assert first.turn() == 1
    assert topic.records == database.changes


def test_a_transaction_whose_outcome_is_unknown_is_not_sent_twice() -> None:
    database, topic = Database(), Topic()
    database.changes = [opened(1)]
    sender = DisputeSender(database, topic.open)
    topic.fails_after_writing = True
    with pytest.raises(SendAgain):
        sender.turn()
    assert sender.turn() == 0
    assert topic.records == database.changes


def test_without_a_topic_the_changes_stay_owed() -> None:
    database, topic = Database(), Topic()
    topic.there = False
    sender = DisputeSender(database, topic.open)
    assert sender.turn() == 0
    database.changes = [opened(1)]
    with pytest.raises(DisputesNotReady):
        sender.turn()
    topic.there = True
    assert sender.turn() == 1


def test_a_database_that_was_set_back_is_told_and_nothing_is_written() -> None:
    database, topic = Database(), Topic()
    topic.records = [opened(1), opened(2)]
    database.changes = [opened(1)]
    with pytest.raises(DisputesDiverge, match="change 2 of the disputes, the database 1"):
        DisputeSender(database, topic.open).turn()
    assert topic.transactions == 0


def test_what_no_processor_would_take_is_not_sent() -> None:
    database, topic = Database(), Topic()
    database.changes = [opened(1), DisputeChange(2, Act.CLOSE, "t.9")]
    with pytest.raises(RefuseChange, match="not open"):
        DisputeSender(database, topic.open).turn()
    assert topic.records == []
