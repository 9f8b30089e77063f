"""Hands a department the records of one grant: only what is newer per key, and none lost in silence."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from consumers.decoding import Decoder, Undecodable, UnknownSchema
from consumers.errors import (
    AccessRevoked,
    HandlerKeepsFailing,
    NotNow,
    TransactionEndedByHandler,
)
from consumers.parking import KafkaParking, Parking, ParkReason
from consumers.positions import MemoryPositions, PositionStore
from consumers.received import Handler, Received
from consumers.retry import Retry
from consumers.settings import SubscriberSettings, from_credentials_file
from consumers.source import Clock, KafkaSource, RecordSource, Say
from schemas.registry import RegistryRefused, RegistryUnavailable, SchemaRegistry
from topics.delivery import NotADelivery, read_delivery
from topics.event import KafkaRecord

Stop = Callable[[], bool]
_SLICE_S: Final = 0.5
_log = logging.getLogger(__name__)


class _StopRequested(Exception):  # noqa: N818 - internal: ends a wait, the record stays unread
    pass


def never() -> bool:
    """Read until the process ends."""
    return False


class Subscriber:
    """Reads one grant's topic and hands each record to the handler, in order per key.

    A record is committed after the handler returned. A handler that raises is called again with growing
    waits; what it keeps refusing is parked in the department's own topic, and the next record goes on. A
    handler raises ``NotNow`` where its own system is down: then nothing is parked and nothing goes on.
    """

    def __init__(
        self,
        settings: SubscriberSettings,
        handler: Handler | None = None,
        *,
        positions: PositionStore | None = None,
        source: RecordSource | None = None,
        parking: Parking | None = None,
        decoder: Decoder | None = None,
        retry: Retry | None = None,
        say: Say = _log.warning,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.applied = 0
        self.outdated = 0
        self.parked = 0
        self._settings = settings
        self._handler = handler
        self._positions = positions or MemoryPositions()
        self._retry = retry or Retry()
        self._say, self._clock, self._sleep, self._chance = say, clock, sleep, chance
        self._decoder = decoder or Decoder(SchemaRegistry(settings.registry))
        self._parking = parking or KafkaParking(settings)
        self._source = source or KafkaSource(settings, clock, say)
        self._parked_in_a_row = 0
        self._committed_at = clock()

    @classmethod
    def from_credentials_file(
        cls,
        path: Path | str,
        handler: Handler | None = None,
        *,
        grant: str | None = None,
        replay: int | None = None,
        **options: Any,
    ) -> Self:
        """A subscriber with the settings of the department's credentials file.

        Args:
            path: the file that ``govbus apply`` wrote, readable by its owner only.
            handler: what to do with each record.
            grant: which grant to read, where the file holds several.
            replay: the number of a redelivery to a separate topic, which is read in the grant's place.
            options: further arguments of the constructor.

        Raises:
            CredentialsUnusable: the file is missing, malformed or readable by others.
        """
        return cls(from_credentials_file(path, grant=grant, replay=replay), handler, **options)

    def run(self, stop: Stop = never) -> None:
        """Hand over records until ``stop`` says so; may be called again afterwards.

        Raises:
            AccessRevoked: the grant, the group or the login is refused.
            FellBehind: the department's copy must be rebuilt.
            ParkingFailed, HandlerKeepsFailing, TransactionEndedByHandler: as they say.
        """
        if self._handler is None:
            raise ValueError("run needs a handler; without one, iterate over records()")
        for record in self._polled(stop):
            try:
                self._hand_over(record, self._handler, stop)
            except _StopRequested:
                break
        self._source.commit()

    def records(self, stop: Stop = never) -> Iterator[Received]:
        """The records one by one; each counts as handled when the next one is asked for.

        The last record before a ``break`` is therefore handed over again by the next run.
        """
        for record in self._polled(stop):
            try:
                received = self._decoded(record, stop)
            except _StopRequested:
                break
            if received is not None:
                yield from self._offered(received)
            self._source.done(record)
        self._source.commit()

    def __iter__(self) -> Iterator[Received]:
        return self.records()

    def close(self) -> None:
        """Commit what was handled, leave the group, give back connections."""
        try:
            self._source.close()
        finally:
            self._parking.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _polled(self, stop: Stop) -> Iterator[KafkaRecord]:
        while not stop():
            record = self._source.poll(min(_SLICE_S, self._settings.commit_every_s))
            if record is not None:
                yield record
            if self._clock() - self._committed_at >= self._settings.commit_every_s:
                self._committed_at = self._clock()
                self._source.commit()

    def _hand_over(self, record: KafkaRecord, handler: Handler, stop: Stop) -> None:
        received = self._decoded(record, stop)
        if received is not None:
            self._handle(received, handler, stop)
        self._source.done(record)
        self._refuse_many_in_a_row()

    def _decoded(self, record: KafkaRecord, stop: Stop) -> Received | None:
        """The record, or None where it had to be parked. Waits for a registry that does not answer."""
        failures = 0
        while True:
            try:
                return self._decode(record)
            except RegistryUnavailable:
                failures += 1
                if failures == 1:
                    self._say(f"the registry at {self._settings.registry_url} does not answer; waiting")
                self._wait(self._retry.wait_s(failures, self._chance()), stop)
            except RegistryRefused as error:
                raise AccessRevoked(
                    f"the registry refuses the reader {self._settings.registry_username!r} of "
                    f"{self._settings.consumer}; ask the operator of the bus"
                ) from error
            except UnknownSchema as error:
                self._park(record, ParkReason.UNKNOWN_SCHEMA, error, 1)
                return None
            except Undecodable as error:
                self._park(record, ParkReason.UNDECODABLE, error, 1)
                return None
            except NotADelivery as error:
                self._park(record, ParkReason.NOT_A_DELIVERY, error, 1)
                return None

    def _decode(self, record: KafkaRecord) -> Received:
        delivery = read_delivery(record.headers)
        key = self._decoder.decode(record.key or b"")
        value = None if record.value is None else self._decoder.decode(record.value)
        return Received(key=key, value=value, delivery=delivery, source=record)

    def _handle(self, received: Received, handler: Handler, stop: Stop) -> None:
        for failures in range(1, self._retry.attempts + 1):
            try:
                self._apply_patiently(received, handler, stop)
            except (_StopRequested, TransactionEndedByHandler):
                raise
            except Exception as error:  # noqa: BLE001 - the department's own code may raise anything
                if failures == self._retry.attempts:
                    self._park(received.source, ParkReason.HANDLER_FAILED, error, failures)
                    self._parked_in_a_row += 1
                else:
                    self._wait(self._retry.wait_s(failures, self._chance()), stop)
            else:
                self._parked_in_a_row = 0
                return

    def _apply_patiently(self, received: Received, handler: Handler, stop: Stop) -> None:
        """Apply the record; while the handler says ``NotNow``, wait, however long that is."""
        failures = 0
        while True:
            try:
                return self._apply(received, handler)
            except NotNow:
                failures += 1
                if failures == 1:
                    self._say(f"the handler cannot take {received.coordinates} now; waiting")
                self._wait(self._retry.wait_s(failures, self._chance()), stop)

    def _apply(self, received: Received, handler: Handler) -> None:
        with self._positions.transaction():
            newer = self._is_newer(received)
            if newer:
                handler(received)
                self._advance(received)
        self._count(newer)

    def _offered(self, received: Received) -> Iterator[Received]:
        with self._positions.transaction():
            newer = self._is_newer(received)
            if newer:
                yield received
                self._advance(received)
        self._count(newer)

    def _is_newer(self, received: Received) -> bool:
        known = self._positions.applied(received.source.topic, received.source.key or b"")
        return known is None or received.order > known

    def _count(self, newer: bool) -> None:
        # Counted after the transaction: what was undone was not applied.
        self.applied += newer
        self.outdated += not newer

    def _advance(self, received: Received) -> None:
        self._positions.advance(received.source.topic, received.source.key or b"", received.order)

    def _park(self, record: KafkaRecord, reason: ParkReason, error: Exception, attempts: int) -> None:
        self._parking.park(record, reason, type(error).__name__, attempts)
        self.parked += 1
        self._say(
            f"{record.coordinates} is parked in {self._settings.parking_topic}: {reason.value} "
            f"({type(error).__name__}, attempts: {attempts})"
        )

    def _refuse_many_in_a_row(self) -> None:
        # A fault of the handler's surroundings must not empty the whole topic into the parking topic.
        if self._parked_in_a_row >= self._settings.most_parked_in_a_row:
            raise HandlerKeepsFailing(
                f"the handler refused {self._parked_in_a_row} records one after another; they are parked in "
                f"{self._settings.parking_topic}. Mend the handler and start again"
            )

    def _wait(self, seconds: float, stop: Stop) -> None:
        """Wait in slices, staying a member of the group."""
        remaining = seconds
        while remaining > 0:
            if stop():
                raise _StopRequested
            self._sleep(min(remaining, _SLICE_S))
            self._source.keep_alive()
            remaining -= _SLICE_S
