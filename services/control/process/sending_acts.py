"""Sends the acts that the database owes to the ledger: each stands there once, whenever anybody dies.

An act has an id that comes from its row: whoever sends it again after a crash gives it the same one, and the
ledger takes an id once. A restored database that gives an old number to another act gives it another id.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from services.control.store import outbox
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Channel, Entry
from services.control.suspension.acts import Act

_MANY: Final = 200
_DIGEST: Final = 16


class ActLedger(Protocol):
    """Where acts go."""

    def append(self, acts: Sequence[Act], since: datetime) -> None:
        """Append those acts that are not there, in their order, all or none, and wait until they are kept.

        Args:
            acts: with ids of their own.
            since: none of them can have been appended before.

        Raises:
            NotYet: the ledger has no place for them yet.
            KafkaException: it is not known whether they are there; the same call may be repeated.
        """


@dataclass(frozen=True, slots=True)
class ActSender:
    """Takes turns; of several processes one sends at a time."""

    database: ControlDatabase
    ledger: ActLedger
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Send what is owed, at most so many; returns whether there was any.

        The transaction that holds the turn ends after the ledger has taken the acts: if it does not end well,
        the same acts come again, and the ledger knows them.
        """
        with self.database.begin() as connection:
            entries = outbox.pending(connection, Channel.LEDGER, _MANY)
            if not entries:
                return False
            since = min(entry.recorded_at for entry in entries)
            self.ledger.append([act_of(entry) for entry in entries], since)
            outbox.mark_sent(connection, [entry.id for entry in entries], self.now())
        return True


def act_of(entry: Entry) -> Act:
    """The act as the ledger keeps it; what the entry says of its object is the document."""
    act = entry.act
    return Act(
        id=f"outbox.{entry.id}.{_digest(entry)}",
        who=act.who,
        what=act.what,
        kind=act.kind,
        object=act.object,
        timestamp_ms=int(act.when.timestamp() * 1000),
        reason=act.reason,
        document=dict(act.facts),
    )


def _digest(entry: Entry) -> str:
    act = entry.act
    said = [
        act.who,
        act.what,
        act.kind,
        act.object,
        act.when.isoformat(),
        act.reason,
        dict(act.facts),
        entry.recorded_at.isoformat(),
    ]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
