"""Looking at values: recorded first, for the provider and in the ledger, and only then shown, for a while.

What allows somebody to look is the record itself: whoever brings the number of one that is not there, that is
another person's, of another thing or too old, sees masked values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.actions import Action
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, acts_on, append, is_id
from services.ledger.quarantine import Disposition, disposition
from services.ledger.writer import RecordWriter
from topics.event import ProviderId

LASTS: Final = timedelta(minutes=15)
LONGEST_REASON: Final = 500


class ReasonMissing(ValueError):  # noqa: N818 - says what is the matter
    """No reason was given, or one that is too long: nothing is revealed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see unmasked."""

    action: Action
    kind: str
    """``topic``, ``stopped_event`` or ``claims``: what the object is."""
    object: str
    provider: ProviderId
    reason: str


@dataclass(frozen=True, slots=True)
class Revealing:
    """Records looks at values, and knows which were recorded."""

    database: ControlDatabase
    clock: Callable[[], datetime]
    new_id: Callable[[datetime], UUID]

    def record(self, account: str, wanted: Wanted, writer: RecordWriter) -> str:
        """Record that somebody looks; the number returned allows the look.

        The provider's note is written before the act is committed: a look that either lacks is none.

        Raises:
            ReasonMissing: there is no reason.
            KafkaUnavailable, WriteRefused: the provider could not be told; nothing is recorded as shown.
        """
        reason = wanted.reason.strip()
        if not 0 < len(reason) <= LONGEST_REASON or not is_id(wanted.object):
            raise ReasonMissing(f"a look needs a reason of at most {LONGEST_REASON} characters")
        now = self.clock()
        number = str(self.new_id(now))
        facts = {"provider": str(wanted.provider), "look": number}
        act = Act(account, wanted.action.value, wanted.kind, wanted.object, now, reason, facts)
        with self.database.begin() as connection:
            append(connection, act)
            note = disposition(wanted.provider, Disposition.REVEALED, wanted.object, account, reason)
            writer.write([note])
        return number

    def is_recorded(self, connection: Connection, account: str, kind: str, object_: str, number: str) -> bool:
        """Whether this look was recorded for this person and this thing, not too long ago."""
        oldest = self.clock() - LASTS
        return bool(number) and any(
            act.who == account and act.facts.get("look") == number and act.when >= oldest
            for act in acts_on(connection, kind, object_)
        )
