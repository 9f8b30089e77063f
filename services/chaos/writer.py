"""Writes the stream of a run into the raw topic at a steady rate, as a connector would, from a thread."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from services.chaos.check import Layout
from services.chaos.envelopes import Envelopes
from services.chaos.watch import IMPATIENT
from services.chaos.workload import Event, workload

_TURN_SECONDS: Final = 0.02
_LAST_SECONDS: Final = 120.0
_LEAST_UNCONFIRMED: Final = 100


class StreamFailed(Exception):  # noqa: N818 - named after what happened
    """The stream could not be written, so nothing can be concluded; the message says why."""


class StreamWriter:
    """Each event once and in order (idempotent), however often the broker goes away."""

    def __init__(self, config: Mapping[str, Any], envelopes: Envelopes, layout: Layout) -> None:
        settings = {
            "client.id": "chaos-stream",
            "enable.idempotence": True,
            "linger.ms": 5,
            # For ever: a record is given up by nobody.
            "message.timeout.ms": 0,
            "log_level": 0,
        }
        self._producer = Producer({**config, **IMPATIENT, **settings})
        self._envelopes, self._layout = envelopes, layout
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: str | None = None
        self.written = 0
        """Events that the broker has confirmed."""
        self._events, self._per_second = 0, 1.0

    def start(self, seed: int, events: int, per_second: float) -> None:
        """Begin to write so many events at that rate."""
        self._events, self._per_second = events, per_second
        self._thread = threading.Thread(target=self._run, args=(seed,), name="chaos-stream", daemon=True)
        self._thread.start()

    @property
    def seconds_left(self) -> float:
        """For how long the stream will go on, if nothing holds it up."""
        return (self._events - self.written) / self._per_second

    @property
    def done(self) -> bool:
        """Whether everything is written.

        Raises:
            StreamFailed: an event was refused.
        """
        if self._failed is not None:
            raise StreamFailed(self._failed)
        return self._thread is not None and not self._thread.is_alive()

    def stop(self) -> None:
        """Give up what is not written."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_LAST_SECONDS)

    def _run(self, seed: int) -> None:
        due = time.monotonic()
        for event in workload(seed, self._events):
            due = self._wait(event, due)
            if self._stop.is_set() or self._failed is not None:
                self._producer.purge()
                return
            self._put(event.row, event)
            self._producer.poll(0)
        if self._producer.flush(_LAST_SECONDS):
            self._failed = "the last events were not confirmed in time"

    def _wait(self, event: Event, due: float) -> float:
        """Until the event is due and the broker takes events; returns when the next one is due.

        What could not be written while the broker was away is not made up for: the stream goes on at its rate
        and lasts longer, so that there is something to write after each fault.
        """
        most = max(_LEAST_UNCONFIRMED, self._per_second)
        while not self._stop.is_set() and self._failed is None:
            held_up = event.number - self.written > most
            if not held_up and time.monotonic() >= due:
                break
            self._producer.poll(_TURN_SECONDS)
            if held_up:
                due = time.monotonic()
        return due + 1 / self._per_second

    def _put(self, row: int, event: Event) -> None:
        while True:
            try:
                self._producer.produce(
                    self._layout.raw,
                    value=self._envelopes.value(event),
                    key=self._envelopes.key(event),
                    partition=row % self._layout.partitions,
                    headers=list(self._envelopes.headers(event)),
                    on_delivery=self._confirmed,
                )
            except BufferError:
                self._producer.poll(_TURN_SECONDS)
            else:
                return

    def _confirmed(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.written += 1
        elif not self._stop.is_set():
            self._failed = f"an event was refused: {error.str()}"
