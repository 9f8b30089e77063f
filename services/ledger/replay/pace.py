"""How fast a replay goes, how far it has come, and whether it is to go on; clock and waiting are given."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_TELL_EVERY_S: Final = 0.5


class Cancelled(Exception):  # noqa: N818 - says what happened
    """Somebody cancelled the replay; nothing more is decided."""


@dataclass(slots=True)
class Pace:
    """Told of every batch; throttles, reports and cancels between two of them."""

    most_a_second: int | None = None
    tell: Callable[[int, int, float], None] = lambda _done, _of, _rate: None
    """Called now and then with records done, records in all, records a second."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked as often as ``tell`` is called."""
    keep: Callable[[Any], None] = lambda _judged: None
    """Given what became of a chain once it is decided, so that a later run need not do it again."""
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    done: int = 0
    total: int = 0
    _worked: int = 0
    _began: float = 0.0
    _told: float = 0.0

    def begin(self, total: int) -> None:
        """So many records are to be decided."""
        self.total, self._began = total, self.clock()
        self._told = self._began
        self.tell(0, total, 0.0)

    def passed(self, records: int) -> None:
        """So many need not be decided again."""
        self.done += records

    def decided(self, records: int) -> None:
        """So many more are decided.

        Raises:
            Cancelled: somebody said so.
        """
        self.done += records
        self._worked += records
        now = self.clock()
        if self.most_a_second is not None:
            ahead = self._worked / self.most_a_second - (now - self._began)
            if ahead > 0:
                self.wait(ahead)
                now = self.clock()
        if now - self._told >= _TELL_EVERY_S or self.done >= self.total:
            self._told = now
            self.tell(self.done, self.total, self.rate(now))
            if self.cancelled():
                raise Cancelled(f"cancelled after {self.done} of {self.total} records")

    def chain_done(self, judged: Any) -> None:
        """A whole chain is decided."""
        self.keep(judged)

    def rate(self, now: float | None = None) -> float:
        """Records a second so far."""
        spent = (self.clock() if now is None else now) - self._began
        return self._worked / spent if spent > 0 else 0.0
