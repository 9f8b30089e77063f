"""Removes again and again what nobody needs any more, a batch of each kind at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.control.accounts.sessions import SessionRules
from services.control.store import answered_orders
from services.control.store.accounts import counters, sessions
from services.control.store.database import ControlDatabase, Task
from services.control.store.notices.happenings import remove_before
from services.control.store.receipts import orders
from services.control.store.tickets import files

_OLDEST_SESSIONS: Final = SessionRules(absolute=timedelta(days=15))
"""More than any setting lets a session last; it is removed after twice that time."""
_NOTICES_KEPT: Final = timedelta(days=730)
"""Two years; what a delivery still waits for is kept."""
_FILES_KEPT: Final = timedelta(days=180)
"""So long after a ticket is over its attachments can still be read; their digests stay."""
_RECEIPTS_KEPT: Final = timedelta(days=30)
"""So long a receipt can be fetched; after that it is asked for again."""
_ANSWERS_KEPT: Final = timedelta(days=90)
"""So long the same order under the same key is answered as it was; whoever repeats it later, orders anew."""


@dataclass(frozen=True, slots=True)
class ForgettingTurn:
    """Takes turns; of several processes one is at it, and it may die anywhere."""

    database: ControlDatabase
    now: Callable[[], datetime]
    batch: int = 1_000
    """So many rows of a kind in one transaction, so that nobody waits for it."""

    def turn(self) -> bool:
        """Remove one batch of each kind; returns whether there may be more."""
        with self.database.alone(Task.FORGETTING) as ours:
            if not ours:
                return False
            now = self.now()
            with self.database.begin() as connection:
                removed = [sessions.forget(connection, now, _OLDEST_SESSIONS, self.batch)]
            with self.database.begin() as connection:
                removed.append(counters.forget(connection, now, self.batch))
            with self.database.begin() as connection:
                removed.append(remove_before(connection, now - _NOTICES_KEPT, self.batch))
            with self.database.begin() as connection:
                removed.append(answered_orders.forget(connection, now - _ANSWERS_KEPT, self.batch))
            with self.database.begin() as connection:
                removed.append(files.forget(connection, now - _FILES_KEPT, self.batch))
            with self.database.begin() as connection:
                removed.append(orders.forget(connection, now - _RECEIPTS_KEPT, self.batch))
            return any(each >= self.batch for each in removed)
