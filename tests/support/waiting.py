"""Waits for a condition with a deadline: what tests do instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.side_by_side import is_beside

_PAUSE_SECONDS = 0.05


def patience() -> float:
    """How much longer than alone everything may take: in several processes, tests share the machine."""
    return 2.0 if is_beside() else 1.0


def eventually(
    condition: Callable[[], Any], seconds: float, what: Callable[[], str] = lambda: "the condition"
) -> Any:
    """Return the condition's first true value; fail, saying what was waited for, if there is none in time."""
    seconds *= patience()
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what()}"
        time.sleep(_PAUSE_SECONDS)
    return value
