"""How many records a batch may have: deciding it must not keep the loop, writing it must end in time."""

from typing import Final

_FIRST: Final = 200
AT_ONCE_SECONDS: Final = 0.05
"""Half of the 100 ms for which the loop may be busy, since the next records may be dearer."""
IN_STEPS_SECONDS: Final = 0.2
"""What a transaction costs grows with the partitions that it touches, however few records it has for each:
where deciding pauses for the loop, a batch may take longer, and many outputs share that cost."""
_SLOWLY: Final = 0.1
_SHARE: Final = 80
"""Its square is the largest batch: at the third attempt a record that breaks the processor is alone."""


class BatchLimit:
    """Grows while batches are quick, shrinks at once when one was slow, by half when its transaction did not
    end in time, and much more after a defect.

    Args:
        most: records of the largest batch.
        seconds: how long deciding a batch shall take.
    """

    def __init__(self, most: int, seconds: float = AT_ONCE_SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._allowed = min(most, _FIRST)
        self._seconds_per_record = 0.0

    @property
    def value(self) -> int:
        """How many records the next batch may have."""
        if self._seconds_per_record <= 0:
            return self._allowed
        return max(1, min(self._allowed, int(self._seconds / self._seconds_per_record)))

    def took(self, records: int, seconds: float) -> None:
        """Deciding so many records took so long."""
        cost = seconds / records
        share = 1.0 if cost > self._seconds_per_record else _SLOWLY
        self._seconds_per_record += share * (cost - self._seconds_per_record)

    def passed(self) -> None:
        """A batch is committed: the next may be twice as large."""
        self._allowed = min(self._most, self._allowed * 2)

    def late(self) -> None:
        """A transaction was not over in time: on a cluster as slow as that, half as many may be."""
        self._allowed = max(1, self.value // 2)

    def failed(self, records: int) -> None:
        """The processor broke over so many records: the next batch has few of them."""
        self._allowed = max(1, records // _SHARE)


def limit_for(processor: object, most: int) -> BatchLimit:
    """The limit of a processor: batches may take longer where deciding them pauses for the event loop."""
    in_steps = hasattr(processor, "process_in_steps")
    return BatchLimit(most, IN_STEPS_SECONDS if in_steps else AT_ONCE_SECONDS)
