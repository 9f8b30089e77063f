"""What is measured and traced of one batch after the other: one object for the runner, in one place."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.processor.contract import Batch
from services.processor.metrics import Metrics
from services.processor.tracing import BatchTrace, PassOn, Tracer

_GIVEN_BACK: Final = "given back"


class Observation:
    """Stages go into the histograms and, within a batch, into its trace."""

    def __init__(self, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self.metrics = metrics
        self._tracer = tracer or PassOn()
        self._none = PassOn().batch((), 0, 0.0)
        self._trace: BatchTrace = self._none
        self._fetch_seconds = 0.0

    @property
    def traceparent(self) -> bytes | None:
        """What the batch's records carry on."""
        return self._trace.traceparent

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """A fetch; it is counted when it turns out to have brought a batch."""
        begin = time.perf_counter()
        yield
        self._fetch_seconds = time.perf_counter() - begin

    @contextmanager
    def batch(self, batch: Batch) -> Iterator[None]:
        """A batch that was just fetched, until it is committed or given back."""
        self.metrics.took("fetch", self._fetch_seconds)
        size = sum(map(len, batch))
        self._trace = self._tracer.batch(batch[0][0].headers, size, self._fetch_seconds)
        self._problem: str | None = _GIVEN_BACK
        try:
            yield
        finally:
            self._trace.end(self._problem)
            self._trace = self._none

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One of the stages that ``services.processor.metrics.STAGES`` names."""
        begin = time.perf_counter()
        try:
            with self._trace.stage(name):
                yield
        finally:
            self.metrics.took(name, time.perf_counter() - begin)

    def committed(self, records: int, seconds: float) -> None:
        """So many of the batch's records are committed; their transaction was open that long."""
        self._problem = None
        self.metrics.committed(records, seconds)
