"""One trace per batch: passes W3C's traceparent on, and tells a collector where one is named.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` nothing of OpenTelemetry is loaded or made: what a batch costs is one
look at its first record's headers, and a traceparent found there goes on unchanged.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, Protocol

from topics.event import Headers

_log = logging.getLogger(__name__)

TRACEPARENT: Final = "traceparent"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FORM: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_FLUSH_MS: Final = 1_000


class BatchTrace(Protocol):
    """What is told about one batch."""

    @property
    def traceparent(self) -> bytes | None:
        """What each record of the batch carries on, or None."""
        ...

    def stage(self, name: str) -> AbstractContextManager[object]:
        """A part of the batch's work."""
        ...

    def end(self, problem: str | None = None, /) -> None:
        """The batch is committed, or given back because of a problem."""
        ...


class Tracer(Protocol):
    """Begins a trace for each batch."""

    def batch(self, headers: Headers, records: int, fetch_seconds: float) -> BatchTrace:
        """A batch of so many records, the first of which carries these headers, was fetched in that time."""
        ...

    def close(self) -> None:
        """Send what is not sent, within moments."""
        ...


def traceparent_of(headers: Headers) -> bytes | None:
    """The traceparent among the headers; None where there is none or it has another form.

    It comes from outside and goes to others: anything but W3C's own form is left behind.
    """
    found = next((value for name, value in reversed(headers) if name == TRACEPARENT), None)
    return found if found is not None and _FORM.fullmatch(found) else None


class _PassedOn:
    """Passes on what came."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: bytes | None) -> None:
        self.traceparent = traceparent

    def stage(self, _name: str) -> AbstractContextManager[object]:
        return nullcontext()

    def end(self, _problem: str | None = None) -> None:
        return


class PassOn:
    """Traces nothing."""

    def batch(self, headers: Headers, _records: int, _fetch_seconds: float) -> BatchTrace:
        """Pass the traceparent on."""
        return _PassedOn(traceparent_of(headers))

    def close(self) -> None:
        """There is nothing to send."""


class OpenTelemetryTracer:
    """One span per batch with its stages as children; attributes are counts and names, never data."""

    def __init__(self, provider: Any, instance: str, group: str) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("govbus.processor")
        self._propagator = TraceContextTextMapPropagator()
        self._attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.consumer.group.name": group,
            "messaging.client.id": instance,
        }

    def batch(self, headers: Headers, records: int, fetch_seconds: float) -> BatchTrace:
        """Begin the batch's span under the trace of its first record, if that has one."""
        came = traceparent_of(headers)
        parent = self._propagator.extract({} if came is None else {TRACEPARENT: came.decode()})
        now = time.time_ns()
        began = now - int(fetch_seconds * 1e9)
        attributes = {**self._attributes, "messaging.batch.message_count": records}
        span = self._tracer.start_span("batch", context=parent, attributes=attributes, start_time=began)
        trace = _Traced(self._tracer, self._propagator, span)
        trace.past("fetch", began, now)
        return trace

    def close(self) -> None:
        """Send what is not sent; a collector that does not answer is not waited for."""
        flushing = threading.Thread(target=self._provider.force_flush, args=(_FLUSH_MS,), daemon=True)
        flushing.start()
        flushing.join(_FLUSH_MS / 1000)


class _Traced:
    """One batch's span."""

    def __init__(self, tracer: Any, propagator: Any, span: Any) -> None:
        from opentelemetry.trace import set_span_in_context

        self._tracer, self._span = tracer, span
        self._context = set_span_in_context(span)
        carrier: dict[str, str] = {}
        propagator.inject(carrier, self._context)
        self.traceparent: bytes | None = carrier[TRACEPARENT].encode() if TRACEPARENT in carrier else None

    def past(self, name: str, began_ns: int, ended_ns: int) -> None:
        """A stage that is over."""
        self._tracer.start_span(name, context=self._context, start_time=began_ns).end(ended_ns)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage that is over when the body is."""
        span = self._tracer.start_span(name, context=self._context)
        try:
            yield
        finally:
            span.end()

    def end(self, problem: str | None = None) -> None:
        """End the batch's span, with the class of what went wrong."""
        from opentelemetry.trace import StatusCode

        if problem is not None:
            self._span.set_status(StatusCode.ERROR, problem)
        self._span.end()


def tracer_for(instance: str, group: str, environ: Mapping[str, str] | None = None) -> Tracer:
    """The tracer that the environment asks for (the variables are OpenTelemetry's own)."""
    environ = os.environ if environ is None else environ
    if not any(environ.get(name) for name in _ENDPOINTS):
        return PassOn()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("no traces are sent: install govbus[tracing], which brings OpenTelemetry")
        return PassOn()
    named = {"service.name": f"govbus.{group}", "service.instance.id": instance}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetryTracer(provider, instance, group)
