"""How the demo waits: for an effect, not for a time, and never for ever."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 120.0


class DemoStuck(Exception):  # noqa: N818 - named after what happened
    """Something that the demo waits for did not come; the message says what."""


def await_effect(
    condition: Callable[[], bool],
    what: str | Callable[[], str],
    seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ask until the answer is yes; each question waits a little by itself.

    Raises:
        DemoStuck: it is no for so many seconds; the message names what was waited for.
    """
    deadline = clock() + seconds
    while not condition():
        if clock() > deadline:
            raise DemoStuck(f"waited {seconds:.0f} s for {what if isinstance(what, str) else what()}")
