"""How many records a batch may have: writing it must end in time, and deciding it must not take for ever."""

from typing import Final

from services.processor.step_size import Cost

_FIRST: Final = 20
"""Before anything was measured: under a thousand grants the line takes a tenth of a second for each."""
_SECONDS: Final = 0.2
"""What a transaction costs grows with the partitions that it touches, however few records it has for each.
Deciding pauses for the loop, so a batch may take this long, and many outputs share that cost."""
_SHARE: Final = 80
"""Its square is the largest batch: at the third attempt a record that breaks the processor is alone."""


class BatchLimit:
    """Grows while batches are quick, shrinks at once when one was slow, by half when its transaction did not
    end in time, and much more after a defect.

    Args:
        most: records of the largest batch.
        seconds: how long deciding a batch shall take.
    """

    def __init__(self, most: int, seconds: float = _SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self.begin()

    def begin(self) -> None:
        """Nothing is known of what a record costs: nothing was decided yet, or not under this policy."""
        self._allowed = min(self._most, _FIRST)
        self._cost = Cost()

    @property
    def value(self) -> int:
        """How many records the next batch may have."""
        if self._cost.seconds <= 0:
            return self._allowed
        return max(1, min(self._allowed, int(self._seconds / self._cost.seconds)))

    def took(self, records: int, seconds: float) -> None:
        """Deciding so many records took so long."""
        self._cost.took(records, seconds)

    def passed(self) -> None:
        """A batch is committed: the next may be twice as large."""
        self._allowed = min(self._most, self._allowed * 2)

    def late(self) -> None:
        """A transaction was not over in time: on a cluster as slow as that, half as many may be."""
        self._allowed = max(1, self.value // 2)

    def failed(self, records: int) -> None:
        """The processor broke over so many records: the next batch has few of them."""
        self._allowed = max(1, records // _SHARE)
