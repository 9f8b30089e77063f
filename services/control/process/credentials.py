"""Looks after departments' credentials: dates, notices, what is over or was renewed by half.

A login that apply or an import has made is entered when it is seen first. What is over is only ever taken
away; a new one comes by a code, or by an apply, and has a date of its own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.credential_life import Ended, expiry
from services.control.desk.following import SYSTEM
from services.control.notices.digest import next_digest
from services.control.notices.of_credentials import ending, expired
from services.control.provisioning.credential import DEPARTMENT
from services.control.provisioning.logins import Lockable
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase, Task
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell, tell_all
from services.control.store.notices.offices import offices
from services.control.store.outbox import Act, Fact, append
from services.control.store.provisioning import credentials
from topics.event import ConsumerId

_EXPIRED: Final = "credential.expired"


@dataclass(frozen=True, slots=True)
class CredentialsTurn:
    """Takes turns; of several processes one looks at a time."""

    database: ControlDatabase
    logins: Lockable
    now: Callable[[], datetime]
    days: int
    """For how many days a credential is good that is entered."""

    def turn(self) -> bool:
        """Enter, tell, lock out, finish what was half renewed; returns whether there was any work."""
        with self.database.alone(Task.CREDENTIALS) as ours:
            if not ours:
                return False
            now, holders = self.now(), self.logins.holders()
            entered = self._enter(holders, now)
            told = self._tell(holders, now)
            return self._each(now) or entered or told

    def _enter(self, holders: Collection[ConsumerId], now: datetime) -> bool:
        with self.database.begin() as connection:
            known = {each.consumer for each in credentials.open_ones(connection)}
            fresh = [
                credentials.enter(connection, consumer, now, expiry(now, self.days))
                for consumer in sorted(set(holders) - known)
            ]
        return any(fresh)

    def _tell(self, holders: Collection[ConsumerId], now: datetime) -> bool:
        """Tell those that can still log in; the same step of the same version is told once."""
        with self.database.begin() as connection:
            found = [each for each in credentials.open_ones(connection) if each.consumer in holders]
            news = [(new_id(now), each) for each in ending(found, offices(connection), now)]
            return tell_all(connection, news, next_digest(now, read_calendar(connection))) > 0

    def _each(self, now: datetime) -> bool:
        """Each by itself: a department whose login cannot be changed now holds up no other."""
        with self.database.begin() as connection:
            over = [each.consumer for each in credentials.open_ones(connection) if each.is_over(now)]
        done, troubles = False, list[Exception]()
        works: list[tuple[Callable[[ConsumerId, datetime], bool], ConsumerId]] = [
            *((self._lock_out_one, each) for each in over),
            *((self._finish_one, each) for each in sorted(self.logins.half_renewed())),
        ]
        for work, consumer in works:
            try:
                done |= work(consumer, now)
            except Exception as error:  # noqa: BLE001 - the others have their turn all the same
                troubles.append(error)
        if troubles:
            raise troubles[0]
        return done

    def _finish_one(self, consumer: ConsumerId, _now: datetime) -> bool:
        """Whoever fetches a new credential at this moment has it to himself, and finishes it."""
        with self.database.begin() as connection:
            credentials.hold(connection, consumer)
            if consumer not in self.logins.half_renewed():
                return False
            self.logins.finish(consumer)
        return True

    def _lock_out_one(self, consumer: ConsumerId, now: datetime) -> bool:
        """The login goes last: if that fails, nothing is noted, and the next turn does it again."""
        with self.database.begin() as connection:
            credentials.hold(connection, consumer)
            found = credentials.newest(connection, consumer)
            if found is None or found.ended is not None or not found.is_over(now):
                return False
            credentials.end(connection, found, Ended.EXPIRED, now)
            facts: dict[str, Fact] = {"version": found.version, "expires_at": found.expires_at.isoformat()}
            append(connection, Act(SYSTEM.person, _EXPIRED, DEPARTMENT, consumer, now, facts=facts))
            happened = expired(found, offices(connection), now)
            tell(connection, happened, new_id(now), next_digest(now, read_calendar(connection)))
            self.logins.lock(consumer)
        return True
