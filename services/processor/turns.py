"""Runs what pauses: in its pauses everybody else has the event loop, unless the turn was short."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

Result = TypeVar("Result")

_LONGEST_TURN_SECONDS: Final = 0.03
"""With the step that comes after it (see ``step_size``) less than a tenth of a second."""


async def in_turns(
    steps: Generator[None, None, Result],
    clock: Callable[[], float] = time.monotonic,
    *,
    goes_on: Callable[[], None] = lambda: None,
) -> tuple[Result, float]:
    """What the steps end with, and the seconds that were spent on them; ``goes_on`` is called after each."""
    spent, began = 0.0, clock()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value, spent + clock() - began
        goes_on()
        turn = clock() - began
        if turn > _LONGEST_TURN_SECONDS:
            spent += turn
            await asyncio.sleep(0)
            began = clock()
