"""A reader outlives the broker that it first met: then it asks once more with a new client."""

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.ledger.counts import Place
from services.ledger.reader import Bounds, KafkaTopicReader, KafkaUnavailable
from topics.event import TopicName

PLACE = Place(TopicName("ledger"), 0)
RESTARTED = KafkaError.FENCED_LEADER_EPOCH


class Answer:
    """An offset."""

    offset = 7


class Admin:
    """Answers with an offset, or with that error."""

    def __init__(self, code: int | None = None) -> None:
        self._code = code

    def list_offsets(self, wanted: dict[Any, Any], **_: object) -> dict[Any, Future[Answer]]:
        future: Future[Answer] = Future()
        if self._code is None:
            future.set_result(Answer())
        else:
            future.set_exception(KafkaException(KafkaError(self._code)))
        return dict.fromkeys(wanted, future)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Admin]:
    """The clients that the reader will make, one after the other."""
    waiting: list[Admin] = []
    monkeypatch.setattr("services.ledger.reader.AdminClient", lambda _config: waiting.pop(0))
    return waiting


def test_a_client_from_before_the_broker_was_killed_is_replaced(made: list[Admin]) -> None:
    made += [Admin(RESTARTED), Admin()]
    reader = KafkaTopicReader({}, "audit")
    assert reader.bounds(PLACE) == Bounds(7, 7)
    assert reader.highs_of([PLACE]) == {PLACE: 7}
    assert made == []


def test_a_broker_that_stays_of_another_mind_is_unavailable(made: list[Admin]) -> None:
    made += [Admin(RESTARTED), Admin(RESTARTED), Admin()]
    with pytest.raises(KafkaUnavailable):
        KafkaTopicReader({}, "audit").highs_of([PLACE])
    assert len(made) == 1


def test_other_errors_are_told_and_not_tried_again(made: list[Admin]) -> None:
    made += [Admin(KafkaError._TIMED_OUT), Admin()]
    with pytest.raises(KafkaUnavailable):
        KafkaTopicReader({}, "audit").highs_of([PLACE])
    assert len(made) == 1
