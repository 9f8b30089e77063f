"""Keeps one and the same complaint from filling the disk while Kafka is away."""

import logging
import time
from collections.abc import Callable
from typing import Final

_EVERY_SECONDS: Final = 30.0


class LogPace(logging.Filter):
    """Lets a warning or error of one origin and kind through once in a while, and says what it left out.

    Faust's client complains a hundred times a second when no broker answers.
    """

    def __init__(self, every_s: float = _EVERY_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; a kind is a logger and an unformatted message."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, str(record.msg)), self._clock()
        if now - self._last.get(kind, -self._every_s) < self._every_s:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        self._last[kind] = now
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", ()
        return True


def pace(*loggers: str) -> None:
    """Pace what the root's handlers write of these loggers and those below them."""
    paced = LogPace()
    prefixes = tuple(f"{name}." for name in loggers)
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: not f"{record.name}.".startswith(prefixes) or paced.filter(record))
