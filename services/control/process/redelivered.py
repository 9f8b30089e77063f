"""Removes the separate topics of redeliveries once retention has emptied them, a day after their time."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.control.desired import REDELIVERED_DAYS
from services.control.replays.life import ENDED, Replay
from services.control.store.database import ControlDatabase, Task
from services.control.store.replays import work
from topics.names import redelivery_of

_STANDS: Final = timedelta(days=REDELIVERED_DAYS + 1)


class Broker(Protocol):
    """What is asked of the broker."""

    def names(self) -> Collection[str]:
        """Every topic."""

    def delete(self, topics: Iterable[str]) -> None:
        """Delete these topics."""


@dataclass(frozen=True, slots=True)
class RedeliveredTurn:
    """Takes turns; of several processes one does so at a time."""

    database: ControlDatabase
    broker: Broker
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Look once and delete; returns whether anything was deleted."""
        with self.database.alone(Task.REDELIVERED) as ours:
            return ours and self._look()

    def _look(self) -> bool:
        numbers = {
            name: number for name in self.broker.names() if (number := redelivery_of(name)) is not None
        }
        with self.database.reading() as connection:
            found = {name: work.load(connection, number) for name, number in numbers.items()}
        over = [name for name, replay in found.items() if self._is_over(replay)]
        self.broker.delete(over)
        return bool(over)

    def _is_over(self, replay: Replay | None) -> bool:
        """A run that goes on, and one that an older database does not know, keep their topic."""
        if replay is None or replay.state not in ENDED or replay.moved_at is None:
            return False
        return self.now() - replay.moved_at > _STANDS
