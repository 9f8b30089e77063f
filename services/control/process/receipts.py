"""Makes the receipts that departments and auditors have asked for, one after the other."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from confluent_kafka import KafkaException

from schemas.registry import RegistryUnavailable
from services.control.evidence.ordering import PATIENCE, Obstacle, Order
from services.control.evidence.receipts import Receipts
from services.control.evidence.stating import IndexBehind, NothingToProve
from services.control.process.loops import NotYet
from services.control.store.database import ControlDatabase, Task
from services.control.store.receipts import orders
from services.evidence.checkpoints import Signed, signed_from
from services.evidence.making import LedgerDiffers, NothingSealed
from services.ledger.coordinates import Coordinate
from services.ledger.lookup import RecordMissing
from services.ledger.reader import KafkaUnavailable, TopicMissing
from topics.event import GrantId, TopicName


class _OtherLog(Exception):  # noqa: N818 - named after what the file is
    """The trust file that was sent along is of another installation."""


_AT_ONCE: Final = 20
_LONGEST_TURN: Final = timedelta(seconds=30)
_AGAIN: Final = timedelta(seconds=10)
_AFTER_DEFECT: Final = timedelta(minutes=1)
_MOST_ATTEMPTS: Final = 3
_DOWN: Final = (KafkaException, KafkaUnavailable, RegistryUnavailable)
_OBSTACLES: Final[Sequence[tuple[type[Exception], Obstacle]]] = (
    (IndexBehind, Obstacle.INDEX_BEHIND),
    (NothingSealed, Obstacle.NOT_SEALED),
    (NotYet, Obstacle.NOT_SEALED),
    (RecordMissing, Obstacle.NOT_THERE),
    (TopicMissing, Obstacle.NOT_THERE),
    (NothingToProve, Obstacle.NOTHING_TO_PROVE),
    (LedgerDiffers, Obstacle.LEDGER_DIFFERS),
    (_OtherLog, Obstacle.OTHER_LOG),
    *((kind, Obstacle.BUS_SILENT) for kind in _DOWN),
)
_NAMED: Final[tuple[type[Exception], ...]] = tuple(kind for kind, _ in _OBSTACLES)
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceiptsTurn:
    """Takes turns; of several processes one does so at a time, and it may die anywhere."""

    database: ControlDatabase
    open: Callable[[], AbstractContextManager[Receipts]]
    """Opens what makes them, with the newest state of the ledger."""
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Try what is due; returns whether anything was.

        Raises:
            NotYet: nothing was ever sealed.
            KafkaUnavailable, KafkaException, RegistryUnavailable: who asked waits until they answer.
        """
        with self.database.alone(Task.RECEIPTS) as ours:
            return ours and self._some()

    def _some(self) -> bool:
        with self.database.reading() as connection:
            due = orders.due(connection, self.now(), _AT_ONCE)
        if not due:
            return False
        try:
            with self.open() as receipts:
                self._each(receipts, due)
        except (*_DOWN, NotYet, LedgerDiffers) as error:
            # Of those that were tried this is known already, and they are not due any more.
            self._all_stopped(error)
            raise
        return True

    def _each(self, receipts: Receipts, due: Sequence[Order]) -> None:
        began = self.now()
        for order in due:
            self._one(receipts, order)
            if self.now() - began > _LONGEST_TURN:
                break

    def _all_stopped(self, error: Exception) -> None:
        """Tell whoever waits that nothing can be made now, and why."""
        with self.database.reading() as connection:
            due = orders.due(connection, self.now(), _AT_ONCE)
        for order in due:
            self._stopped(order, _obstacle_of(error), str(error))

    def _one(self, receipts: Receipts, order: Order) -> None:
        if order.attempts >= _MOST_ATTEMPTS:
            why = "making it ended in a defect; the log of the process says which"
            self._stopped(order, Obstacle.FAILED, why)
            return
        with self.database.begin() as connection:
            orders.begun(connection, order.number, self.now() + _AFTER_DEFECT)
        try:
            receipt = _made(receipts, order)
        except _NAMED as error:
            self._stopped(order, _obstacle_of(error), str(error))
            if isinstance(error, _DOWN):
                raise
        except Exception:  # noqa: BLE001 - told with its trace
            # A defect over one order stops no other; this one comes again, and is given up after a while.
            _log.exception("receipt order %d", order.number)
        else:
            with self.database.begin() as connection:
                orders.made(connection, order, receipt, self.now())

    def _stopped(self, order: Order, obstacle: Obstacle, detail: str) -> None:
        """Wait, where time removes what is in the way and has not had long enough for it; else refuse."""
        now = self.now()
        if obstacle is Obstacle.LEDGER_DIFFERS:
            _log.error("receipt order %d: %s", order.number, detail)
        with self.database.begin() as connection:
            if now - order.asked_at < PATIENCE.get(obstacle, timedelta()):
                orders.waits(connection, order.number, obstacle, detail, now + _AGAIN)
            else:
                orders.refused(connection, order.number, obstacle, detail, now)


def _obstacle_of(error: Exception) -> Obstacle:
    return next(found for kind, found in _OBSTACLES if isinstance(error, kind))


def _made(receipts: Receipts, order: Order) -> bytes:
    """The receipt that was asked for."""
    wish = order.wish
    subject = wish.subject
    own: Sequence[Signed] = [signed_from(wish.witness)] if wish.witness else []
    for each in own:
        if receipts.log and each.checkpoint.log != receipts.log[-1].signed.checkpoint.log:
            raise _OtherLog(f"of log {each.checkpoint.log}")
    maker = replace(receipts, witnesses=[*receipts.witnesses, *own], shown=wish.shown)
    if subject.grant is not None:
        return maker.of_delivery(GrantId(subject.grant), subject.partition, subject.offset)
    raw = Coordinate(TopicName(str(subject.topic)), subject.partition, subject.offset)
    return maker.of_record(raw, withdrawn=subject.withdrawn)
