"""Loops go on whatever one of them meets: how long they wait, what is told, and how they end."""

import json
import logging
import threading
import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.control.process.loops import Loop, NotYet, Pace
from services.control.process.status import Status
from services.control.process.supervisor import Supervisor
from services.control.process.web import answer
from services.control.store.errors import StartControlDatabase
from tests.unit.process.virtual import Virtual, outcomes, turned

PACE = Pace(idle_s=10, busy_s=1, first_retry_s=2, longest_retry_s=30)
DOWN = StartControlDatabase("the control plane's database 127.0.0.1:1/control does not serve")


def test_a_loop_waits_long_without_work_and_shortly_after_some() -> None:
    virtual, status = turned(outcomes(False, True, False), 3, PACE)
    assert virtual.waited == [10, 1, 10]
    assert status.as_json()["one"]["worked"] == 1


def test_the_wait_doubles_with_each_error_up_to_a_limit_and_starts_anew_after_a_turn_that_went_well() -> None:
    virtual, _ = turned(outcomes(*[DOWN] * 6, False, DOWN), 8, PACE)
    assert virtual.waited == pytest.approx([2, 4, 8, 16, 30, 30, 10, 2])


def test_what_is_not_there_yet_is_no_error() -> None:
    virtual, status = turned(outcomes(NotYet("apply first"), NotYet("apply first")), 2, PACE)
    assert virtual.waited == [10, 10]
    assert status.not_ready() == []
    assert status.as_json()["one"]["waits_for"] == "apply first"


def test_an_error_is_named_with_its_loop_until_a_turn_goes_well() -> None:
    _, failing = turned(outcomes(DOWN, DOWN), 2, PACE, "acts")
    (reason,) = failing.not_ready()
    assert reason.startswith("acts: the control plane's database")
    assert failing.not_alive() == []
    _, well = turned(outcomes(DOWN, False), 2, PACE, "acts")
    assert well.not_ready() == []


def test_kafka_says_what_is_the_matter() -> None:
    _, status = turned(outcomes(KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))), 1, PACE)
    assert "kafka: " in status.not_ready()[0]


def test_a_defect_is_told_without_what_it_held(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        _, status = turned(outcomes(ValueError("11010519491231002X")), 1, PACE)
    assert status.not_ready() == ["one: ValueError (for 2 s)"]
    assert "11010519491231002X" not in caplog.text
    assert "virtual.py" in caplog.text


def test_a_loop_that_has_not_turned_yet_is_not_ready() -> None:
    status = Status()
    status.expect([Loop("late", outcomes(), PACE)])
    assert status.not_ready() == ["late: has not had its first turn"]


def test_a_turn_that_hangs_is_told_by_healthz() -> None:
    virtual = Virtual(1)
    status = Status(virtual.clock)
    status.expect([Loop("slow", outcomes(), Pace(idle_s=1, limit_s=60))])
    status.begun("slow")
    virtual.now = 59
    assert answer("/healthz", status)[0] == 200
    virtual.now = 61
    code, _, body = answer("/healthz", status)
    assert (code, json.loads(body)["reasons"]) == (503, ["slow: a turn has lasted 61 s"])


def test_readyz_names_each_loop_that_fails_and_metrics_count_them() -> None:
    _, status = turned(outcomes(False, DOWN), 2, PACE, "acts")
    code, _, body = answer("/readyz", status)
    assert code == 503
    assert json.loads(body)["reasons"][0].startswith("acts: ")
    text = answer("/metrics", status)[2].decode()
    assert 'govbus_control_turns_total{loop="acts"} 1.0' in text
    assert 'govbus_control_failing{loop="acts"} 1.0' in text
    assert answer("/else", status)[0] == 404


def waited_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    return condition()


def test_one_loop_that_fails_stops_no_other_and_the_end_waits_for_the_turn_under_way() -> None:
    entered, release, finished = threading.Event(), threading.Event(), threading.Event()

    def slow() -> bool:
        entered.set()
        release.wait(10)
        finished.set()
        return False

    def broken() -> bool:
        raise DOWN

    quick = Pace(idle_s=0.01, first_retry_s=0.01, longest_retry_s=0.01)
    ending, status = threading.Event(), Status()
    loops = [Loop("slow", slow, quick), Loop("broken", broken, quick), Loop("well", lambda: False, quick)]
    supervisor = Supervisor(loops, status, ending)
    supervisor.start()
    assert waited_for(lambda: status.as_json()["broken"]["failed"] > 2)
    assert waited_for(lambda: status.as_json()["well"]["turns"] > 2)
    assert entered.wait(10)
    ending.set()
    assert supervisor.wait(0.05) == ["slow"]
    release.set()
    assert finished.wait(10)
    assert supervisor.wait(10) == []


@pytest.mark.parametrize("wrong", [{"idle_s": 0}, {"idle_s": 1, "first_retry_s": 9, "longest_retry_s": 3}])
def test_a_pace_that_would_never_wait_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a loop waits"):
        Pace(**wrong)
