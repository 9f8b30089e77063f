"""The doctor tells what a recovery waits for and what an operator is to do about it."""

from typing import Any

import pytest

from services.doctor.ask_recovery import judge_recovery
from services.doctor.finding import Level


def status(error: str | None = None, waits_for: str | None = None) -> dict[str, Any]:
    return {"loops": {"recovery": {"error": error, "waits_for": waits_for}}}


@pytest.mark.parametrize(
    ("said", "level", "seen"),
    [
        (status(), Level.OK, "no capture"),
        (status(waits_for="the connector has not read the table yet"), Level.NOTE, "has not read"),
        (status(error="r.x.v1: `govbus snapshot start r.x.v1`"), Level.FAILURE, "govbus snapshot start r.x"),
    ],
)
def test_what_the_loop_says_is_told_as_it_is(said: dict[str, Any], level: Level, seen: str) -> None:
    [found] = judge_recovery(said)
    assert (found.check, found.level) == ("recovery", level)
    assert seen in found.seen


def test_a_control_process_without_the_loop_says_nothing() -> None:
    assert judge_recovery({"loops": {}}) == []
