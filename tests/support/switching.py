"""A kill switch on a bus in memory: tests watch its orders, and hold them back before the cut."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from services.control.suspension.journal import Journal
from services.control.suspension.receipt import HeldGrant
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import Order, Say, Suspend
from services.control.suspension.switch import KillSwitch, Machine, Work
from tests.support.suspending import MemoryBus, MemoryJournal
from topics.policy import Policy

DEADLINE_S: Final = 30.0


@dataclass
class WatchedBus(MemoryBus):
    """A bus for the kill switch that waits before the cut where a test holds it."""

    goes_on: Event = field(default_factory=Event)
    written: Callable[[Policy], None] = lambda _policy: None
    """Told of each policy that is in force."""

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        found = super().write(change)
        self.written(found)
        return found

    def cut(self, held: HeldGrant) -> dict[int, int]:
        assert self.goes_on.wait(DEADLINE_S)
        return super().cut(held)


@dataclass
class Lifted:
    """Resumes at once."""

    journal: Journal

    def order(self, order: Order, new_id: str, unfinished: Any = ()) -> Resumption:
        done = Resumption(
            new_id, "s-1", order.scope, order.name, order.by, order.reason, 5, recorded=True, finished_ms=9
        )
        self.journal.save(done.id, done.saved())
        return done


class Switched:
    """The bus, both journals, and switches on them: a second one is a process that was started anew."""

    def __init__(self) -> None:
        self.bus = WatchedBus()
        self.bus.goes_on.set()
        self.suspensions, self.resumptions = MemoryJournal(), MemoryJournal()
        self._ticks = iter(range(1_790_000_000_000, 1_790_000_900_000))

    def switch(self, report: Callable[[str, Exception], None]) -> KillSwitch:
        """A switch that remembers nothing but what the journals hold."""

        def suspend(journal: Journal, say: Say) -> Suspend:
            return Suspend(self.bus, journal, lambda: next(self._ticks), say)

        def resume(journal: Journal, _say: Say, _confirmed: tuple[str, ...]) -> Lifted:
            return Lifted(journal)

        return KillSwitch(Machine(self.suspensions, self.resumptions, suspend, resume), report)


def over(switch: KillSwitch, id_: str) -> Work:
    """A work of the kill switch once nothing happens to it any more."""
    seen = -1
    while True:
        work = switch.wait(id_, seen, DEADLINE_S)
        assert work is not None
        if work.is_over:
            # Whoever follows an order does so after it: no test ends meanwhile.
            for thread in [each for each in threading.enumerate() if each.name.endswith(id_)]:
                thread.join(DEADLINE_S)
            return work
        assert work.changes > seen, "nothing happened before the deadline"
        seen = work.changes
