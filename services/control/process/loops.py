"""A loop of the control process: one thing done again and again, and how long it waits in between; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_DOUBLINGS: Final = 30


class NotYet(Exception):  # noqa: N818 - says what is the matter
    """There is nothing wrong, but what the loop works on is not there yet; the text says what it waits for."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a loop waits between two turns, in seconds."""

    idle_s: float
    """After a turn that found nothing to do."""
    busy_s: float = 0.0
    """After one that did something: there may be more."""
    first_retry_s: float = 1.0
    """After an error; the wait doubles with each further one."""
    longest_retry_s: float = 60.0
    limit_s: float = 600.0
    """A turn that takes longer hangs: the process should be started again."""

    def __post_init__(self) -> None:
        if self.busy_s < 0 or not 0 < self.idle_s or not 0 < self.first_retry_s <= self.longest_retry_s:
            raise ValueError("a loop waits after a turn without work, and longer after each further error")

    def after_error(self, errors: int, draw: float) -> float:
        """The wait after so many errors in a row; a quarter of it is chance, so that loops do not march.

        Args:
            errors: how many turns in a row failed, from 1.
            draw: from 0 to below 1, chosen by chance.
        """
        whole = min(self.first_retry_s * 2.0 ** min(errors - 1, _DOUBLINGS), self.longest_retry_s)
        return whole * (0.75 + 0.25 * draw)


@dataclass(frozen=True, slots=True)
class Loop:
    """One thing that the process does.

    ``turn`` says whether there was work. It may raise ``NotYet`` where it has to wait for something that is
    no fault, and any other exception where it failed; what it began must then be as good as never begun.
    """

    name: str
    turn: Callable[[], bool]
    pace: Pace
