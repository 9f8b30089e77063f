"""Processes and consumer groups as the doctor judges them."""

from typing import Any

import pytest

from services.doctor.finding import Level
from services.doctor.running import GroupPlace, judge_components, judge_expected, judge_groups, judge_watch
from services.stack.api import ComponentStatus, State


@pytest.mark.parametrize(
    ("state", "level", "remedy"),
    [
        (State.RUNNING, Level.OK, ""),
        (State.UNHEALTHY, Level.FAILURE, "govbus logs gate.0"),
        (State.CRASHED, Level.FAILURE, "govbus logs gate.0; govbus up"),
        (State.STOPPED, Level.FAILURE, "govbus up"),
    ],
)
def test_component(state: State, level: Level, remedy: str) -> None:
    (finding,) = judge_components([ComponentStatus("gate.0", state, 1, 2, 3.0, 4.0)])
    assert (finding.level, finding.remedy) == (level, remedy)


def test_what_the_policy_needs_and_nobody_started_is_told() -> None:
    found = judge_expected(["kafka", "gate.0", "fanout.default.0"], ["default", "slow"])
    assert [finding.seen for finding in found] == ["fanout.slow was not started", "watch was not started"]


def test_standing_alarms_of_the_watch_are_failures() -> None:
    alarm = {"kind": "slot-gap", "subject": "s", "detail": "lost", "remedy": "SELECT 1;"}
    (finding,) = judge_watch({"alarms": [alarm], "restarts": 3})
    assert (finding.level, finding.remedy) == (Level.FAILURE, "SELECT 1;")
    (finding,) = judge_watch({"alarms": [], "restarts": 3, "processes_started_again": 2})
    assert finding.level is Level.OK
    assert "3 restarts of connectors, 2 of processes" in finding.seen


def place(**changes: Any) -> GroupPlace:
    values: dict[str, Any] = {"group": "tax.a", "topic": "sub.tax.x.grant-1", "partition": 0, "committed": 50}
    values |= {"begin": 10, "end": 100, "safe_from": 50}
    return GroupPlace(**values | changes)


@pytest.mark.parametrize(
    ("at", "level"),
    [
        (place(committed=50), Level.OK),
        (place(committed=49), Level.FAILURE),
        (place(committed=49, safe_from=None), Level.OK),
        (place(committed=10, safe_from=None), Level.OK),
        (place(committed=9, safe_from=None), Level.FAILURE),
        # All records are older than the lag, and all are read.
        (place(committed=100, safe_from=100), Level.OK),
    ],
)
def test_group(at: GroupPlace, level: Level) -> None:
    (finding,) = judge_groups([at])
    assert finding.level is level
    if level is Level.FAILURE:
        assert "grant-1" in finding.remedy


def test_one_group_is_one_line_with_all_that_it_is_behind() -> None:
    (finding,) = judge_groups([place(partition=0), place(partition=1, committed=99)])
    assert finding.seen == "tax.a is at most 51 records behind, marks of transactions included"
    (finding,) = judge_groups([place(committed=100)])
    assert finding.seen == "tax.a is not behind"


def test_without_groups_there_is_a_note() -> None:
    (finding,) = judge_groups([])
    assert finding.level is Level.NOTE
