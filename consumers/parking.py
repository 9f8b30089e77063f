"""The department's own topic for records that its handler keeps refusing: original bytes, and why."""

from enum import StrEnum
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from consumers.errors import ParkingFailed
from consumers.settings import SubscriberSettings
from topics.event import Headers, KafkaRecord, TopicName

_TIMEOUT_S: Final = 60.0


class ParkReason(StrEnum):
    """Why a record was parked: a closed list, documented in docs/consumer.md."""

    HANDLER_FAILED = "HANDLER_FAILED"
    UNDECODABLE = "UNDECODABLE"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    NOT_A_DELIVERY = "NOT_A_DELIVERY"


class Parking(Protocol):
    """Where records are set aside."""

    def park(self, record: KafkaRecord, reason: ParkReason, error: str, attempts: int) -> None:
        """Keep the record; it is kept when this returns. Raises ParkingFailed otherwise."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


def parked_headers(record: KafkaRecord, reason: ParkReason, error: str, attempts: int) -> Headers:
    """The original headers, then where the record stood and why it was parked.

    ``error`` is the name of an exception's class: its message may hold personal data.
    """
    added = (
        ("govbus_parked_reason", reason.value),
        ("govbus_parked_from", record.coordinates),
        ("govbus_parked_error", error),
        ("govbus_parked_attempts", str(attempts)),
    )
    return (*record.headers, *((name, text.encode()) for name, text in added))


class KafkaParking:
    """Parks into ``parked.<consumer>``; the connection is opened with the first record."""

    def __init__(self, settings: SubscriberSettings) -> None:
        self._settings = settings
        self._producer: Producer | None = None

    @property
    def topic(self) -> TopicName:
        """The department's own parking topic."""
        return self._settings.parking_topic

    def park(self, record: KafkaRecord, reason: ParkReason, error: str, attempts: int) -> None:
        """Write the record with its original bytes and wait for the broker's confirmation.

        Raises:
            ParkingFailed: the broker did not confirm it.
        """
        reports: list[KafkaError | None] = []

        def note(failure: KafkaError | None, _message: Any) -> None:
            reports.append(failure)

        producer = self._open()
        try:
            producer.produce(
                self.topic,
                key=record.key,
                value=record.value,
                headers=list(parked_headers(record, reason, error, attempts)),
                on_delivery=note,
            )
            producer.flush(_TIMEOUT_S)
        except (KafkaException, BufferError) as failure:
            raise ParkingFailed(
                f"{record.coordinates} could not be parked in {self.topic}: {failure}"
            ) from None
        if not reports or reports[0] is not None:
            cause = reports[0].str() if reports and reports[0] else "the broker did not confirm in time"
            raise ParkingFailed(f"{record.coordinates} could not be parked in {self.topic}: {cause}")

    def close(self) -> None:
        """Every record was confirmed before; the connection goes with the last reference."""
        self._producer = None

    def _open(self) -> Producer:
        if self._producer is None:
            settings = {"enable.idempotence": True, "acks": "all", "message.timeout.ms": 30_000}
            self._producer = Producer({**self._settings.client(), **settings})
        return self._producer
