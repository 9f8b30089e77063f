"""Waits for a condition with a deadline: what tests do instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any

_PAUSE_SECONDS = 0.05


def eventually(
    condition: Callable[[], Any], seconds: float, what: Callable[[], str] = lambda: "the condition"
) -> Any:
    """Return the condition's first true value; fail, saying what was waited for, if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what()}"
        time.sleep(_PAUSE_SECONDS)
    return value
