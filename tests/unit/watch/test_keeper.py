"""What ended by itself is started again, ever less often, unless a person has stopped it or is asked for."""

import pytest

from producers.restarter import RestartPolicy
from services.stack.again import Ended
from services.stack.python_process import OwnProcess
from services.watch.judge import AlarmKind
from services.watch.keeper import ALARM_AFTER, Keeper, Tried

POLICY = RestartPolicy(first_wait=2.0, longest_wait=60.0, forgotten_after=600.0)
STARTED = Tried("gate.0", Ended.STARTED, 1)


class Played:
    """One process of which the test says whether it lies down and whether it gets up."""

    def __init__(self) -> None:
        self.now = 0.0
        self.known, self.lives, self.waits = True, True, ""
        self.gets_up = True
        self.answer = Ended.STARTED
        self.keeper = Keeper(self, POLICY, lambda: self.now)

    def standing(self) -> list[OwnProcess]:
        return [OwnProcess("gate.0", self.lives, self.waits)] if self.known else []

    def start_again(self, name: str) -> Ended:
        assert name == "gate.0"
        self.lives = self.gets_up and self.answer is Ended.STARTED
        return self.answer

    def look(self, at: float) -> list[Tried]:
        self.now = at
        return self.keeper.look()

    def alarmed(self) -> list[str]:
        found = list(self.keeper.alarms())
        assert {each.kind for each in found} <= {AlarmKind.PROCESS_CRASHED}
        return [each.detail for each in found]


def test_what_ended_is_started_at_once_and_what_lives_is_left_alone() -> None:
    played = Played()
    assert played.look(0) == []
    played.lives = False
    assert played.look(3) == [STARTED]
    assert played.look(6) == []
    assert played.alarmed() == []


@pytest.mark.parametrize("answer", [Ended.STARTED, Ended.FAILED])
def test_what_does_not_live_for_long_is_started_less_and_less_often_and_alarmed(answer: Ended) -> None:
    played = Played()
    played.lives, played.gets_up, played.answer = False, False, answer
    starts = [at for at in range(60) if played.look(float(at))]
    assert starts == [0, 2, 6, 14, 30]
    assert played.alarmed() == ["it does not live for long: 5 starts"]


def test_an_alarm_stands_until_it_has_lived_for_long_and_then_nothing_is_remembered() -> None:
    played = Played()
    for at in range(0, 30 * ALARM_AFTER, 30):
        played.lives = False
        assert len(played.look(float(at))) == 1
    played.look(100)
    assert len(played.alarmed()) == 1
    played.look(701)
    assert played.alarmed() == []
    played.lives = False
    assert played.look(702) == [STARTED]


@pytest.mark.parametrize("answer", [Ended.BUSY, Ended.NOT_NEEDED])
def test_what_was_no_start_is_not_counted_and_the_next_look_tries_again(answer: Ended) -> None:
    played = Played()
    played.lives, played.answer = False, answer
    assert played.look(0) == [Tried("gate.0", answer, 0)]
    played.answer = Ended.STARTED
    assert played.look(1) == [STARTED]


def test_what_asks_for_a_person_is_not_started_and_alarmed_at_once() -> None:
    played = Played()
    played.lives, played.waits = False, "raw.x:0: committed 1000, the log ends at 900"
    assert played.look(0) == []
    assert played.alarmed() == [played.waits]
    played.lives, played.waits = True, ""
    assert played.look(3) == []
    assert played.alarmed() == []


def test_of_what_a_person_has_stopped_nothing_is_remembered() -> None:
    played = Played()
    played.lives, played.gets_up = False, False
    for at in range(60):
        played.look(float(at))
    assert played.alarmed() != []
    played.known = False
    assert played.look(61) == []
    assert played.alarmed() == []
