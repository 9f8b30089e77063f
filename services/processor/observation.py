"""What is measured and traced of batches: stages go into the histograms and into the trace of their batch."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.processor.contract import Batch
from services.processor.metrics import Metrics
from services.processor.tracing import BatchTrace, PassOn, Tracer

_GIVEN_BACK: Final = "given back"


class Observed:
    """One batch, from its fetch until it is committed or given back; or work outside any batch."""

    def __init__(self, metrics: Metrics, trace: BatchTrace) -> None:
        self._metrics = metrics
        self._trace = trace
        self._problem: str | None = _GIVEN_BACK

    @property
    def traceparent(self) -> bytes | None:
        """What the batch's records carry on."""
        return self._trace.traceparent

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One of the stages that ``services.processor.metrics.STAGES`` names."""
        begin = time.perf_counter()
        try:
            with self._trace.stage(name):
                yield
        finally:
            self._metrics.took(name, time.perf_counter() - begin)

    def committed(self, records: int, seconds: float) -> None:
        """So many of the batch's records are committed; their transaction was open that long."""
        self._problem = None
        self._metrics.committed(records, seconds)

    def end(self) -> None:
        """Nothing more comes of it."""
        self._trace.end(self._problem)


class Observation:
    """Makes what observes one batch each: one can be decided while the one before is being committed."""

    def __init__(self, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self.metrics = metrics
        self._tracer = tracer or PassOn()
        self._fetch_seconds = 0.0

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """A fetch; it is counted when it turns out to have brought a batch."""
        begin = time.perf_counter()
        yield
        self._fetch_seconds = time.perf_counter() - begin

    def batch(self, batch: Batch) -> Observed:
        """A batch that was just fetched."""
        # One fetch may bring several batches: the first one has its time.
        seconds, self._fetch_seconds = self._fetch_seconds, 0.0
        self.metrics.took("fetch", seconds)
        size = sum(map(len, batch))
        return Observed(self.metrics, self._tracer.batch(batch[0][0].headers, size, seconds))

    def beside(self) -> Observed:
        """A transaction without a batch: a catch-up, an acknowledgement."""
        return Observed(self.metrics, PassOn().batch((), 0, 0.0))
