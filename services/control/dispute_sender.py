"""Sends what tickets owe to the topic of disputes: each change once, in the order of its number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from confluent_kafka.admin import AdminClient

from services.control.copy_transactions import EpochInterrupted
from services.control.disputes_topic import DisputesWriter, read_disputes
from services.control.policy_topic import newest_policy
from services.control.store.database import ControlDatabase
from services.control.store.tickets.owed import dispute_changes, newest_change
from topics.disputes import DisputeChange, Folding

_AT_ONCE: Final = 1_000


class DisputesNotReady(Exception):  # noqa: N818 - says what is the matter
    """There is no topic of disputes yet: `govbus apply` makes it, then they are sent."""


class DisputesDiverge(Exception):  # noqa: N818 - says what is the matter
    """The topic holds changes that the database does not know: it was restored to an older state."""


class SendAgain(Exception):  # noqa: N818 - named after what to do
    """Another sender took over, or a transaction failed: what is owed is looked at anew in the next turn."""


class Owed(Protocol):
    """What the database holds of the disputes."""

    def newest(self) -> int:
        """The number of the last change; 0 where there is none."""
        ...

    def after(self, number: int) -> Sequence[DisputeChange]:
        """Some of the changes that follow that number, in order."""
        ...


class Writer(Protocol):
    """The topic, held by one sender."""

    def write(self, changes: Iterable[DisputeChange]) -> None:
        """Append all of them or none; raises EpochInterrupted where that is in doubt."""
        ...


@dataclass(slots=True)
class DisputeSender:
    """Sends in turns; keeps the topic between them, and takes it anew where it has lost it."""

    owed: Owed
    open_topic: Callable[[], tuple[Writer, Folding]]
    """Become the one sender, then read what stands in the topic; raises DisputesNotReady."""
    _writer: Writer | None = None
    _sent: Folding = field(default_factory=Folding)

    def turn(self) -> int:
        """Send everything that is owed now, and say how many changes that were.

        Raises:
            DisputesNotReady: something is owed and there is no topic yet.
            DisputesDiverge: the topic is ahead of the database.
            SendAgain: the topic was lost meanwhile.
            RefuseChange: a change does not follow; processors would not take it, so it is not sent.
        """
        newest = self.owed.newest()
        if newest == (0 if self._writer is None else self._sent.number):
            return 0
        if self._writer is None:
            self._writer, self._sent = self.open_topic()
        if self._sent.number > newest:
            what = f"the topic holds change {self._sent.number} of the disputes, the database {newest}"
            raise DisputesDiverge(what)
        sent = 0
        while changes := self.owed.after(self._sent.number):
            self._send(self._writer, changes)
            sent += len(changes)
        return sent

    def _send(self, writer: Writer, changes: Sequence[DisputeChange]) -> None:
        following = Folding(self._sent.disputes())
        for change in changes:
            following.take(change)
        try:
            writer.write(changes)
        except EpochInterrupted as error:
            self._writer = None
            raise SendAgain(str(error)) from error
        self._sent = following


@dataclass(frozen=True, slots=True)
class OwedChanges:
    """See ``Owed``, from the control plane's database."""

    database: ControlDatabase

    def newest(self) -> int:
        """See ``Owed``."""
        with self.database.begin() as connection:
            return newest_change(connection)

    def after(self, number: int) -> Sequence[DisputeChange]:
        """See ``Owed``."""
        with self.database.begin() as connection:
            return list(dispute_changes(connection, number, _AT_ONCE))


def sender_on(kafka: Mapping[str, Any], group: str, database: ControlDatabase) -> DisputeSender:
    """The sender of a running bus; ``group`` is only a name, under the own prefix of who logs in."""
    admin = AdminClient(dict(kafka))

    def open_topic() -> tuple[Writer, Folding]:
        policy = newest_policy(kafka)
        if policy is None or not policy.control_schemas.dispute_change:
            raise DisputesNotReady("the policy knows no disputes yet; `govbus apply` makes their topic")
        writer = DisputesWriter(kafka, policy.control_schemas.dispute_change)
        return writer, read_disputes(kafka, admin, group, policy)

    return DisputeSender(OwedChanges(database), open_topic)
