"""How much is decided without a pause: what takes some hundredths of a second, by what it took so far."""

from collections.abc import Callable, Iterator
from typing import Final

from topics.engine.records import Records

STEP_SECONDS: Final = 0.05
"""Half of the 100 ms for which the loop may be busy, since the next may be dearer."""
_FIRST: Final = 100
"""Before anything was measured: little enough for the dearest, which take a tenth of a millisecond each."""
_SLOWLY: Final = 0.1
_NOT_SO_SLOWLY: Final = 0.4
"""Much of a small step is what each step costs, so the next is to be larger."""


class Cost:
    """Seconds for one of many: rises at once, falls slowly."""

    def __init__(self, falls: float = _SLOWLY) -> None:
        self._falls = falls
        self.seconds = 0.0
        """0 where nothing was measured yet."""

    def took(self, count: int, seconds: float) -> None:
        """So many took so long."""
        cost = seconds / count
        share = 1.0 if cost > self.seconds else self._falls
        self.seconds += share * (cost - self.seconds)


class StepSize:
    """Grows at most twofold from one step to the next, up to ``most``; shrinks at once when one was slow.

    ``most`` bounds what the cheap teach of the dear: records that lead to nothing cost a fiftieth of others.
    """

    def __init__(self, most: int) -> None:
        self._most, self._allowed = most, min(most, _FIRST)
        self._cost = Cost(_NOT_SO_SLOWLY)

    def of(self, each: int = 1) -> int:
        """How many records the next step may have, of which each counts for so many; never none."""
        if self._cost.seconds <= 0:
            return max(1, self._allowed // each)
        fitting = round(STEP_SECONDS / (self._cost.seconds * each))
        return max(1, min(self._allowed // each, fitting))

    def took(self, count: int, seconds: float) -> None:
        """A step of so many took so long."""
        self._cost.took(count, seconds)
        self._allowed = min(self._most, max(self._allowed, 2 * count))


def in_parts(
    records: Records,
    decide: Callable[[Records], None],
    size: StepSize,
    clock: Callable[[], float],
    each: int = 1,
) -> Iterator[None]:
    """Decide the records in their order, part by part, with a pause after each part.

    ``each`` is what one record counts for in the size of a step.
    """
    first = 0
    while first < len(records):
        end = min(len(records), first + size.of(each))
        part = records if end - first == len(records) else records.part(first, end)
        began = clock()
        decide(part)
        size.took((end - first) * each, clock() - began)
        first = end
        yield
