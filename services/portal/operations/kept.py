"""What takes long to read is read in the background and kept: a page shows what there is, and since when.

One reading of a thing is under way at a time, however many look at it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MOST: Final = 50
"""So many things are kept, those looked at last."""


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What is known of a thing now; ``value`` is None before the first reading has ended."""

    value: T | None = None
    as_of: datetime | None = None
    reading: bool = False
    failure: str | None = None
    """What ended the last reading, by the kind of error; what was read before stays."""
    tried: datetime | None = None
    """When the last reading began, whatever came of it."""


@dataclass(slots=True)
class Kept(Generic[T]):
    """Readings by key."""

    read: Callable[[str], T]
    clock: Callable[[], datetime]
    fresh_s: float
    report: Callable[[str, Exception], None]
    """Told of each reading that failed."""
    _looks: OrderedDict[str, Look[T]] = field(default_factory=OrderedDict)
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def look(self, key: str, wait_s: float = 0.0, fresh_s: float | None = None) -> Look[T]:
        """What is known; a new reading begins where it is old. Waits a little for a first one.

        ``fresh_s`` is for who needs it less often: then it may be so old without being read anew.
        """
        with self._moved:
            found = self._looks.get(key, Look())
            if not found.reading and self._is_old(found, self.fresh_s if fresh_s is None else fresh_s):
                found = self._begin(key, found)
            self._looks.move_to_end(key)
            if found.value is None and wait_s:
                self._moved.wait_for(lambda: not self._looks.get(key, Look()).reading, wait_s)
            return self._looks.get(key, Look())

    def forget(self, key: str) -> None:
        """What was read is not so any more: the next look reads anew, and shows the old until then."""
        with self._moved:
            if key in self._looks:
                self._looks[key] = replace(self._looks[key], as_of=None, tried=None)

    def known(self, key: str) -> Look[T]:
        """What is known, without any reading."""
        with self._moved:
            return self._looks.get(key, Look())

    def _is_old(self, found: Look[T], fresh_s: float) -> bool:
        """What failed is not tried anew by every look; a clock that was set back keeps nothing."""
        if found.tried is None:
            return True
        return not 0 <= (self.clock() - found.tried).total_seconds() < fresh_s

    def _begin(self, key: str, found: Look[T]) -> Look[T]:
        self._looks[key] = replace(found, reading=True)
        idle = [each for each, look in self._looks.items() if not look.reading]
        for each in idle[: max(len(self._looks) - MOST, 0)]:
            del self._looks[each]
        threading.Thread(target=self._run, args=(key,), daemon=True, name=f"kept-{key}").start()
        return self._looks[key]

    def _run(self, key: str) -> None:
        began = self.clock()
        try:
            look = Look(self.read(key), began, tried=began)
        except Exception as error:  # noqa: BLE001 - the page says that it failed
            self.report(key, error)
            with self._moved:
                before = self._looks.get(key, Look())
            look = replace(before, reading=False, failure=type(error).__name__, tried=began)
        with self._moved:
            self._looks[key] = look
            self._moved.notify_all()
