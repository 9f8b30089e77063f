"""How long a run of an epoch waits where nothing changes, by a clock that a test may bring."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Clock:
    """What a run knows of time.

    Args:
        seconds: rises and is never set.
        sleep: wait for so many seconds.
    """

    seconds: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


MACHINE: Final = Clock()
"""The machine's own."""


@dataclass(slots=True)
class Patience:
    """How long nothing may change."""

    limit_s: float
    clock: Clock = MACHINE
    _seen: tuple[int, ...] | None = None
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock.seconds()

    def is_over(self, now: tuple[int, ...]) -> bool:
        """Whether nothing has changed for so long."""
        if now != self._seen:
            self._seen, self._since = now, self.clock.seconds()
        return self._passed > self.limit_s

    @property
    def is_silent(self) -> bool:
        """Whether nothing has changed for half of it: time to look at what should be working."""
        return self._passed > self.limit_s / 2

    @property
    def _passed(self) -> float:
        return self.clock.seconds() - self._since
