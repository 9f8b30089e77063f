"""Healthy and ready are judgements over facts, each with its reason."""

import logging
from pathlib import Path
from typing import Any

import pytest

from services.processor.health import SILENT_SECONDS, STUCK_SECONDS, Health

LEASE_S, LIMIT_S, NOW = 10.0, 15.0, 1000.0


def working(**changed: Any) -> Health:
    """An instance that decides events, changed in some facts."""
    facts: dict[str, Any] = {
        "last_turn": NOW,
        "producer_open": True,
        "joined": True,
        "topics": 1,
        "partitions": 4,
        "adopted_version": 3,
        "acknowledged_version": 3,
        **changed,
    }
    return Health(LEASE_S, LIMIT_S, clock=lambda: NOW, **facts)


def test_an_instance_that_decides_events_is_alive_and_ready() -> None:
    assert working().not_alive() == []
    assert working().not_ready() == []
    assert working().as_json()["ready"] is True


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ({"last_turn": NOW - LEASE_S}, {"last_turn": NOW - LEASE_S - 1}, "the loop has not turned for 11 s"),
        (
            {"transaction_since": NOW - 2 * LIMIT_S},
            {"transaction_since": NOW - 2 * LIMIT_S - 1},
            "a transaction is open for 31 s",
        ),
        ({}, {"stopped": "fenced"}, "stopped: fenced"),
    ],
)
def test_an_instance_that_hangs_or_has_stopped_should_be_started_again(
    good: dict[str, Any], bad: dict[str, Any], reason: str
) -> None:
    assert working(**good).not_alive() == []
    assert working(**bad).not_alive() == [reason]
    assert working(**bad).not_ready() == [reason]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"last_turn": None}, "the loop has not started"),
        ({"transaction_since": NOW - STUCK_SECONDS - 1}, "a transaction is stuck for 4 s"),
        ({"producer_open": False}, "the transactional producer is not initialised"),
        ({"adopted_version": None}, "no policy is adopted"),
        ({"acknowledged_version": 2}, "policy version 3 is not acknowledged"),
        ({"joined": False}, "the group has not assigned partitions"),
        ({"paused": {"a:0": NOW - 1, "a:1": NOW - LEASE_S}}, "2 partitions are not positioned and loaded"),
        ({"paused": {"a:0": NOW - LEASE_S - 1}}, "a:0 is paused for 11 s"),
        ({"transaction_since": NOW - LEASE_S - 1}, "a transaction is stuck for 11 s"),
        ({"problems": {"waiting": "schema registry: down"}}, "waiting: schema registry: down"),
    ],
)
def test_what_keeps_it_from_deciding_makes_it_unready_but_is_no_reason_to_kill_it(
    facts: dict[str, Any], reason: str
) -> None:
    assert working(**facts).not_ready() == [reason]
    assert working(**facts).not_alive() == []


def test_an_instance_without_topics_needs_no_partitions() -> None:
    assert working(topics=0, joined=False, partitions=0).not_ready() == []


def test_a_problem_is_told_until_it_is_cleared() -> None:
    health = working()
    health.tell("input", "timed out")
    assert health.not_ready() == ["input: timed out"]
    health.tell("input", None)
    assert health.not_ready() == []


def test_what_is_waited_for_is_logged_when_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health = working()
    with caplog.at_level(logging.INFO):
        for problem in ("timed out", "timed out", "no leader", None, "no leader"):
            health.tell("input", problem)
    assert caplog.messages == ["input waits: timed out", "input waits: no leader", "input waits: no leader"]


def test_a_turn_of_the_loop_renews_the_lease() -> None:
    health = working(last_turn=NOW - 100)
    health.turn()
    assert health.not_alive() == []


def test_the_operator_s_page_says_from_when_on_an_instance_is_not_ready() -> None:
    page = (Path(__file__).parents[3] / "docs/operator/metrics.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("| `/readyz`")]
    assert f"a transaction open for more than {STUCK_SECONDS:g} s, any partition that is paused" in row
    assert f"no answer from Kafka for more than {SILENT_SECONDS:g} s" in row
