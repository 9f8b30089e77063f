"""When failed connectors are restarted, and when a person is told."""

import pytest

from producers.connect_errors import ConnectorNotFound, ConnectUnavailable
from producers.connect_status import ConnectorStatus, Health, TaskStatus
from producers.restarter import (
    Alarm,
    Decision,
    Did,
    Look,
    Restarter,
    RestartHistory,
    RestartNow,
    RestartPolicy,
    WaitUntil,
)

POLICY = RestartPolicy(first_wait=2, longest_wait=10, alarm_after=4, forgotten_after=60, idle_grace=12)


@pytest.mark.parametrize(
    ("restarts", "now", "expected"),
    [
        ((), 0.0, RestartNow()),
        ((100.0,), 101.9, WaitUntil(102.0)),
        ((100.0,), 102.0, RestartNow()),
        ((90.0, 100.0), 103.9, WaitUntil(104.0)),
        ((90.0, 100.0), 104.0, RestartNow()),
        ((80.0, 90.0, 100.0), 107.9, WaitUntil(108.0)),
        ((80.0, 90.0, 100.0), 108.0, RestartNow()),
        ((70.0, 80.0, 90.0, 100.0), 109.9, Alarm(4, WaitUntil(110.0))),
        ((70.0, 80.0, 90.0, 100.0), 110.0, Alarm(4, RestartNow())),
        (tuple(float(n) for n in range(5000)), 5008.0, Alarm(5000, WaitUntil(5009.0))),
    ],
)
def test_waits_double_up_to_a_cap_and_then_an_alarm_is_raised(
    restarts: tuple[float, ...], now: float, expected: Decision
) -> None:
    assert POLICY.decide(RestartHistory(restarts), now) == expected


def test_only_a_long_time_without_failure_forgives_the_restarts() -> None:
    history = POLICY.observed(RestartHistory((1.0, 2.0)), Health.RUNNING, now=10.0)
    assert history.restarts == (1.0, 2.0)
    assert POLICY.observed(history, Health.RUNNING, now=69.9).restarts == (1.0, 2.0)
    assert POLICY.observed(history, Health.RUNNING, now=70.0).restarts == ()
    again = POLICY.observed(history, Health.FAILED, now=40.0)
    assert POLICY.observed(again, Health.RUNNING, now=70.0).restarts == (1.0, 2.0)


class Cluster:
    """One connector whose task fails until it has been restarted often enough."""

    def __init__(self, heals_after: int) -> None:
        self.heals_after = heals_after
        self.restarts = 0
        self.answers = True
        self.exists = True
        self.ill = "FAILED"

    def status(self, name: str) -> ConnectorStatus:
        if not self.exists:
            raise ConnectorNotFound(name)
        if not self.answers:
            raise ConnectUnavailable("no answer")
        ill = self.restarts < self.heals_after
        trace = "Boom: bad\n\tat x" if ill and self.ill == "FAILED" else None
        task = TaskStatus(0, self.ill if ill else "RUNNING", "w", trace)
        return ConnectorStatus(name, "RUNNING", "w", (task,))

    def restart_failed_tasks(self, name: str) -> None:
        assert self.ill == "FAILED", "what has not failed is not started again by this"
        self.restarts += 1

    def restart(self, name: str) -> None:
        assert self.ill == "UNASSIGNED"
        self.restarts += 1


def looks(cluster: Cluster, seconds: int) -> list[Look]:
    now = [0.0]
    restarter = Restarter(cluster, POLICY, lambda: now[0])
    found: list[Look] = []
    for second in range(seconds):
        now[0] = float(second)
        found += restarter.look(["sink"])
    return found


def test_a_failed_task_is_restarted_at_once_and_then_left_alone() -> None:
    found = looks(Cluster(heals_after=1), 4)
    assert [look.did for look in found] == [Did.RESTARTED, Did.NOTHING, Did.NOTHING, Did.NOTHING]
    assert found[0].detail == "Boom: bad"


def test_the_reason_of_a_failure_names_the_cause_at_its_root() -> None:
    class Deep(Cluster):
        def status(self, name: str) -> ConnectorStatus:
            trace = "Boom: bad\n\tat x\nCaused by: A: a\n\tat y\nCaused by: B: the root\n\tat z"
            return ConnectorStatus(name, "RUNNING", "w", (TaskStatus(0, "FAILED", "w", trace),))

    assert looks(Deep(heals_after=99), 1)[0].detail == "Boom: bad (Caused by: B: the root)"


def test_restarts_that_do_not_help_raise_an_alarm_and_go_on() -> None:
    found = looks(Cluster(heals_after=99), 40)
    restarted = [second for second, look in enumerate(found) if look.did is Did.RESTARTED]
    assert restarted == [0, 2, 6, 14, 24, 34]
    assert not any(look.alarm for look in found[:15])
    assert all(look.alarm >= 4 for look in found[15:])


def idle_looks(heals_after: int, seconds: int) -> list[Look]:
    cluster = Cluster(heals_after)
    cluster.ill = "UNASSIGNED"
    return looks(cluster, seconds)


def test_a_connector_without_a_worker_is_left_alone_for_a_while_and_then_started_again() -> None:
    found = idle_looks(heals_after=1, seconds=20)
    assert [second for second, look in enumerate(found) if look.did is Did.RESTARTED] == [12]
    assert (found[12].idle_s, found[12].detail) == (12.0, "sink task 0 is UNASSIGNED")
    assert {look.idle_s for second, look in enumerate(found) if second != 12} == {0.0}


def test_starting_it_again_leaves_it_time_and_soon_says_that_it_does_not_help() -> None:
    found = idle_looks(heals_after=99, seconds=50)
    assert [second for second, look in enumerate(found) if look.did is Did.RESTARTED] == [12, 18, 28, 38, 48]
    assert [look.alarm for look in found[12:18]] == [0] * 6
    assert all(look.alarm >= 2 for look in found[24:])
    assert all(look.idle_s for look in found[12:])


def test_restarts_of_an_earlier_failure_do_not_count_against_one_that_nobody_runs() -> None:
    failed = RestartHistory((1.0, 3.0, 7.0))
    idle = POLICY.observed(failed, Health.STARTING, now=20.0)
    assert POLICY.is_due(idle, Health.STARTING, now=32.0)
    assert POLICY.for_idle.decide(idle.since_idle, now=32.0) == RestartNow()
    assert idle.restarts == failed.restarts


def test_a_restart_without_an_answer_does_not_hide_that_nobody_runs_the_connector() -> None:
    class Deaf(Cluster):
        def restart(self, name: str) -> None:
            raise ConnectUnavailable("no answer")

    cluster = Deaf(heals_after=99)
    cluster.ill = "UNASSIGNED"
    last = looks(cluster, 13)[-1]
    assert (last.did, last.idle_s) == (Did.NO_ANSWER, 12.0)


def test_no_answer_and_a_missing_connector_are_said_and_not_hidden() -> None:
    cluster = Cluster(heals_after=0)
    cluster.answers = False
    assert [look.did for look in looks(cluster, 1)] == [Did.NO_ANSWER]
    cluster.exists = False
    assert [look.did for look in looks(cluster, 1)] == [Did.MISSING]


@pytest.mark.parametrize(
    ("connector", "tasks", "expected"),
    [
        ("RUNNING", ["RUNNING"], Health.RUNNING),
        ("RUNNING", ["RUNNING", "FAILED"], Health.FAILED),
        ("RUNNING", [], Health.STARTING),
        ("RUNNING", ["UNASSIGNED"], Health.STARTING),
        ("PAUSED", ["PAUSED"], Health.PAUSED),
        ("STOPPED", [], Health.STOPPED),
        ("FAILED", [], Health.FAILED),
        ("RUNNING", ["SOMETHING NEW"], Health.FAILED),
    ],
)
def test_health_is_the_worst_of_connector_and_tasks(
    connector: str, tasks: list[str], expected: Health
) -> None:
    statuses = tuple(TaskStatus(number, state, "w") for number, state in enumerate(tasks))
    assert ConnectorStatus("c", connector, "w", statuses).health is expected


@pytest.mark.parametrize(
    ("connector", "tasks", "expected"),
    [
        ("RUNNING", ["RUNNING"], ()),
        ("PAUSED", ["PAUSED"], ()),
        ("STOPPED", [], ()),
        ("UNASSIGNED", ["RUNNING"], ("c is UNASSIGNED",)),
        ("RUNNING", ["RUNNING", "FAILED"], ("c task 1 is FAILED",)),
        ("RUNNING", [], ("c has no task",)),
    ],
)
def test_what_is_ill_is_said_in_words(connector: str, tasks: list[str], expected: tuple[str, ...]) -> None:
    statuses = tuple(TaskStatus(number, state, "w") for number, state in enumerate(tasks))
    assert ConnectorStatus("c", connector, "w", statuses).ill == expected
