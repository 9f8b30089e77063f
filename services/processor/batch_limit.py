"""How many records a batch may have, so that deciding it never keeps the event loop for long."""

from typing import Final

_FIRST: Final = 200
_TARGET_SECONDS: Final = 0.05
_SLOWLY: Final = 0.1
_SHARE: Final = 80
"""Its square is the largest batch: at the third attempt a record that breaks the processor is alone."""


class BatchLimit:
    """Grows while batches are quick, shrinks at once when one was slow, and much more after a defect.

    It aims at half of the 100 ms for which the loop may be busy, since the next records may be dearer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = min(most, _FIRST)
        self._seconds_per_record = 0.0

    @property
    def value(self) -> int:
        """How many records the next batch may have."""
        if self._seconds_per_record <= 0:
            return self._allowed
        return max(1, min(self._allowed, int(_TARGET_SECONDS / self._seconds_per_record)))

    def took(self, records: int, seconds: float) -> None:
        """Deciding so many records took so long."""
        cost = seconds / records
        share = 1.0 if cost > self._seconds_per_record else _SLOWLY
        self._seconds_per_record += share * (cost - self._seconds_per_record)

    def passed(self) -> None:
        """A batch is committed: the next may be twice as large."""
        self._allowed = min(self._most, self._allowed * 2)

    def failed(self, records: int) -> None:
        """The processor broke over so many records: the next batch has few of them."""
        self._allowed = max(1, records // _SHARE)
