"""Separate topics of redeliveries go a day after their time, and no other topic ever does."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from services.control.process.redelivered import RedeliveredTurn
from services.control.replays.life import Order, Step
from services.control.store.database import ControlDatabase, Task
from services.control.store.replays import work
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from topics.event import GrantId

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOPIC = "sub.health.population.person.v1.health-persons-gusu"
ORDER = Order(
    Purpose.REDELIVER, Scope(grant=GrantId("health-persons-gusu")), "lost", "contract 7", {"separate": True}
)


class Broker:
    """Topics in memory."""

    def __init__(self, *topics: str) -> None:
        self.topics = set(topics)

    def names(self) -> set[str]:
        return self.topics

    def delete(self, topics: Iterable[str]) -> None:
        self.topics = self.topics - set(topics)


def ended(database: ControlDatabase, *steps: Step) -> str:
    """The separate topic of a redelivery that took these steps."""
    with database.begin() as connection:
        number = work.request(connection, ORDER, "anna", NOW).number
        for step in steps:
            work.step(connection, number, step, "bo", NOW)
    return f"{TOPIC}.replay.{number}"


@pytest.mark.parametrize(
    ("steps", "after", "goes"),
    [
        ((Step.APPROVE, Step.START, Step.FINISH), 8 * DAY, False),
        ((Step.APPROVE, Step.START, Step.FINISH), 8 * DAY + DAY / 24, True),
        ((Step.APPROVE, Step.START, Step.FAIL), 9 * DAY, True),
        ((Step.APPROVE, Step.START, Step.CANCEL), 9 * DAY, True),
        ((Step.APPROVE, Step.START), 9 * DAY, False),
    ],
)
def test_a_separate_topic_goes_a_day_after_its_time_unless_its_run_goes_on(
    control_database: ControlDatabase, steps: tuple[Step, ...], after: timedelta, goes: bool
) -> None:
    topic = ended(control_database, *steps)
    stay = {TOPIC, f"{TOPIC}.replay.999", "raw.police.public.replay.1", "policy"}
    broker = Broker(topic, *stay)
    turn = RedeliveredTurn(control_database, broker, lambda: NOW + after)
    assert turn.turn() is goes
    assert broker.topics == (stay if goes else {topic, *stay})
    assert turn.turn() is False


def test_of_several_processes_one_removes_at_a_time(control_database: ControlDatabase) -> None:
    topic = ended(control_database, Step.APPROVE, Step.START, Step.FINISH)
    broker = Broker(topic)
    with control_database.alone(Task.REDELIVERED):
        assert RedeliveredTurn(control_database, broker, lambda: NOW + 9 * DAY).turn() is False
    assert broker.topics == {topic}
