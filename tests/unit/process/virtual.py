"""A process whose time passes only while a loop waits: an ending, a clock and turns, for tests of loops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.control.process.loops import Loop, Pace
from services.control.process.status import Status
from services.control.process.supervisor import run_loop


@dataclass(slots=True)
class Virtual:
    """Time that a loop's waits move on, and an end after so many of them."""

    waits: int
    now: float = 0.0
    waited: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return len(self.waited) >= self.waits

    def wait(self, timeout: float) -> bool:
        self.waited.append(timeout)
        self.now += timeout
        return self.is_set()


def outcomes(*wanted: bool | Exception) -> Callable[[], bool]:
    """A turn that says, or raises, one after the other."""
    left: Iterator[bool | Exception] = iter(wanted)

    def turn() -> bool:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return turn


def turned(turn: Callable[[], bool], waits: int, pace: Pace, name: str = "one") -> tuple[Virtual, Status]:
    """A loop after so many turns; chance is left out."""
    virtual = Virtual(waits)
    status = Status(virtual.clock)
    loop = Loop(name, turn, pace)
    status.expect([loop])
    run_loop(loop, status, virtual, lambda: 1 - 1e-9)
    return virtual, status
