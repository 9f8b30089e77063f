"""Holds open tickets against what came through capture, and tells consumers what they are owed under them."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from services.control.process.ticket_following import SYSTEM, Look, Receivers, follow_ticket, look_at
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase, Task
from services.control.store.ids import new_id
from services.control.store.tickets.owed import OwedNotice, notices_owed
from services.control.store.tickets.reading import load, versions
from services.control.store.tickets.telling import tell_owed
from services.control.store.tickets.work import Answer, Desk, confirm_told
from services.control.tickets.following import WATCHED
from services.control.tickets.words import State
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds
from topics.names import LEDGER_DELIVERY

_LOG: Final = logging.getLogger(__name__)
_ACCOUNT: Final = SYSTEM.person
_MANY: Final = 100
T = TypeVar("T")
Open = Callable[[], AbstractContextManager[Lookup]]
Secrets = Callable[[Lookup], Mapping[int, bytes]]
Seen = tuple[Mapping[UUID, int], Mapping[Place, Bounds]]


@dataclass(slots=True)
class TicketsTurn:
    """Takes turns; of several processes one follows at a time."""

    database: ControlDatabase
    open_lookup: Open
    secrets: Secrets
    now: Callable[[], datetime]
    _seen: Seen | None = field(default=None, init=False)
    """At which versions of tickets and ends of topics all of them were followed: then nothing is new."""

    def turn(self) -> bool:
        """Follow the tickets where something may be new, then tell; returns whether there was any work."""
        with self.database.alone(Task.TICKETS) as ours:
            if not ours:
                return False
            with self.database.begin() as connection:
                open_ = versions(connection, (State.REPORTED, *WATCHED))
            stepped = self._follow(open_) if open_ else False
            return self._tell() or stepped

    def _follow(self, open_: Mapping[UUID, int]) -> bool:
        with self.open_lookup() as lookup:
            ends = _ends(lookup)
            if self._seen == (open_, ends):
                return False
            secrets, troubles = self.secrets(lookup), list[Exception]()
            looks = self._each(open_, lambda ticket: self._look(ticket, lookup, secrets), troubles)
            receivers = Receivers(lookup, looks.values())
            steps = self._each(
                looks, lambda ticket: self._follow_one(ticket, looks[ticket], receivers), troubles
            )
            stepped = any(steps.values())
        if troubles:
            raise troubles[0]
        self._seen = None if stepped else (dict(open_), ends)
        return stepped

    def _each(
        self, tickets: Iterable[UUID], work: Callable[[UUID], T], troubles: list[Exception]
    ) -> dict[UUID, T]:
        """What comes of each ticket; one must not keep the others from theirs."""
        found = {}
        for ticket in tickets:
            try:
                found[ticket] = work(ticket)
            except Exception as error:  # noqa: BLE001 - told once all were worked on
                troubles.append(error)
        return found

    def _look(self, ticket: UUID, lookup: Lookup, secrets: Mapping[int, bytes]) -> Look:
        with self.database.begin() as connection:
            filed = load(connection, ticket)
        if filed is None:
            raise LookupError(f"ticket {ticket} was there a moment ago")
        return look_at(filed.ticket, lookup, secrets)

    def _follow_one(self, ticket: UUID, look: Look, receivers: Receivers) -> bool:
        with self.database.begin() as connection:
            steps = list(follow_ticket(connection, self._desk(connection), ticket, look, receivers))
        return any(isinstance(step, Answer) for step in steps)

    def _tell(self) -> bool:
        """Tell what is owed: the notice, and that it was told, in one transaction."""
        with self.database.begin() as connection:
            desk = self._desk(connection)
            told = [self._tell_one(connection, desk, notice) for notice in notices_owed(connection, _MANY)]
        return any(told)

    def _tell_one(self, connection: Connection, desk: Desk, notice: OwedNotice) -> bool:
        filed = load(connection, notice.ticket, lock=True)
        if filed is None:
            raise LookupError(f"ticket {notice.ticket} of an owed notice")
        answer = confirm_told(connection, desk, notice, SYSTEM)
        if not isinstance(answer, Answer):
            _LOG.warning("ticket %d: what is owed to a consumer cannot be told now", filed.number)
            return False
        resource = filed.ticket.reported.contested.resource
        tell_owed(connection, notice, resource, desk.calendar, desk.now, desk.new_id)
        return True

    def _desk(self, connection: Connection) -> Desk:
        now = self.now()
        return Desk(_ACCOUNT, now, read_calendar(connection), lambda: new_id(self.now()))


def _ends(lookup: Lookup) -> dict[Place, Bounds]:
    """Where the topics end that tickets are followed by."""
    layout = lookup.reader.layout()
    followed = [topic for topic in layout if topic.startswith("resource.") or topic == LEDGER_DELIVERY]
    return lookup.reader.bounds_of(at for topic in followed for at in layout[topic])
