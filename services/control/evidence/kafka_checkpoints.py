"""Checkpoints in ``ledger.checkpoints``: one writer at a time, under an id that fences who was before.

Whoever opens the id ends what another had open under it, and only then looks which checkpoint is the last:
so two never follow the same one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from services.control.desired import CHECKPOINT_BYTES
from services.control.process.loops import NotYet
from services.evidence.canonical import NotCanonical
from services.evidence.making import LedgerDiffers
from services.evidence.sealed import Sealed, sealed_from, sealed_text
from services.ledger.counts import Place
from services.ledger.reader import Bounds, KafkaTopicReader, TopicReader
from topics import names
from topics.event import KafkaRecord

_TIMEOUT_S: Final = 15.0
_LOOK_BACK: Final = 16
"""Offsets before the end that are looked at first: each checkpoint has a transaction's marker behind it."""
_PLACE: Final = Place(names.LEDGER_CHECKPOINTS, 0)


def read_log(reader: TopicReader) -> list[Sealed]:
    """Every kept checkpoint, from the first.

    Raises:
        NotYet: there is no such topic.
        LedgerDiffers: one cannot be read, or one is missing.
    """
    _require(reader)
    found = [_sealed(record) for record in reader.read_all(reader.bounds_of([_PLACE]))]
    for number, sealed in enumerate(found, 1):
        if sealed.number != number:
            raise LedgerDiffers(f"{_PLACE}: checkpoint {sealed.number} stands where {number} should be")
    return found


@dataclass(slots=True)
class KafkaCheckpoints:
    """The place that checkpoints are appended to; used by one thread."""

    config: Mapping[str, Any] = field(repr=False)
    """The login of the control process."""
    open_reader: Callable[[Mapping[str, Any]], KafkaTopicReader] = field(
        default=lambda config: KafkaTopicReader(config, names.CONTROL_GROUP, _TIMEOUT_S), repr=False
    )
    _producer: Producer | None = field(default=None, init=False, repr=False)
    _last: Sealed | None = field(default=None, init=False, repr=False)

    def last(self) -> Sealed | None:
        """The last checkpoint, once nobody else can append one.

        Raises:
            NotYet: there is no topic for them yet.
            LedgerDiffers: it cannot be read.
        """
        if self._producer is None:
            with self.open_reader(self.config) as reader:
                _require(reader)
                producer = self._opened()
                self._last = newest(reader)
                self._producer = producer
        return self._last

    def _opened(self) -> Producer:
        producer = Producer(
            {
                **self.config,
                "transactional.id": names.CONTROL_CHECKPOINTS_TRANSACTIONAL_ID,
                "transaction.timeout.ms": int(_TIMEOUT_S * 1000),
                "acks": "all",
                "compression.type": "lz4",
                "message.max.bytes": CHECKPOINT_BYTES,
            }
        )
        producer.init_transactions(_TIMEOUT_S)
        return producer

    def append(self, sealed: Sealed) -> None:
        """Append the one that follows ``last``.

        Raises:
            KafkaException: it failed; whether it is there is found out by the next ``last``.
        """
        producer, self._producer = self._producer, None
        if producer is None:
            raise RuntimeError("a checkpoint follows the last one: ask for it first")
        failures: list[KafkaError] = []
        producer.begin_transaction()
        producer.produce(
            names.LEDGER_CHECKPOINTS,
            value=sealed_text(sealed),
            key=str(sealed.number).encode(),
            partition=0,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        producer.commit_transaction(_TIMEOUT_S)
        if failures:
            raise KafkaException(failures[0])
        self._producer, self._last = producer, sealed


def newest(reader: TopicReader) -> Sealed | None:
    """The last checkpoint that is kept; None before the first.

    Raises:
        NotYet: there is no such topic.
        LedgerDiffers: it cannot be read.
    """
    _require(reader)
    bounds = reader.bounds(_PLACE)
    for low in (max(bounds.low, bounds.end - _LOOK_BACK), bounds.low):
        found = list(reader.read_all({_PLACE: Bounds(low, bounds.end)}))
        if found:
            return _sealed(found[-1])
    return None


def _sealed(record: KafkaRecord) -> Sealed:
    try:
        return sealed_from(record.value or b"")
    except NotCanonical as error:
        raise LedgerDiffers(f"{record.coordinates} is no checkpoint: {error}") from error


def _require(reader: TopicReader) -> None:
    if _PLACE not in reader.places(names.LEDGER_CHECKPOINTS):
        raise NotYet(f"there is no topic {names.LEDGER_CHECKPOINTS} yet: `govbus apply` makes it")
