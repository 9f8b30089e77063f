"""Traces: the traceparent goes from the input to every output, and each batch is one span with its stages."""

import sys
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from services.processor.errors import AbortTransaction
from services.processor.tracing import OpenTelemetryTracer, PassOn, traceparent_of, tracer_for
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.engine.lanes import headers_form

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CAME = f"00-{TRACE}-{SPAN}-01".encode()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> OpenTelemetryTracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return OpenTelemetryTracer(provider, "copying.0", "copying")


def bench_with(tracer: Any, traceparent: bytes | None = CAME, **settings: Any) -> Bench:
    headers = () if traceparent is None else (("traceparent", traceparent),)
    records = [replace(record, headers=headers) for record in numbered(b"1", b"2", b"3")]
    return Bench(Copying(), records, sample_policy(1), tracer=tracer, **settings)


def carried(bench: Bench) -> list[tuple[tuple[str, bytes], ...]]:
    return [record.headers for record in bench.transactions.committed if record.topic == "out"]


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


async def test_without_a_collector_the_traceparent_goes_on_unchanged() -> None:
    bench = bench_with(PassOn())
    await bench.run(3)
    assert carried(bench) == [(("traceparent", CAME),)] * 3


async def test_without_a_traceparent_none_is_made_up() -> None:
    bench = bench_with(PassOn(), None)
    await bench.run(3)
    assert carried(bench) == [()] * 3


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        CAME + b"-more",
        CAME.upper(),
        "00-张三".encode(),
        CAME[:-1],
    ],
)
def test_what_is_no_traceparent_is_left_behind(odd: bytes) -> None:
    assert traceparent_of((("traceparent", odd),)) is None


def test_the_traceparent_is_never_part_of_a_digest() -> None:
    assert headers_form((("a", b"1"), ("traceparent", CAME))) == headers_form((("a", b"1"),))


async def test_a_batch_is_one_span_with_its_stages_under_the_trace_that_came(
    tracer: OpenTelemetryTracer, spans: InMemorySpanExporter
) -> None:
    bench = bench_with(tracer)
    await bench.run(3)
    found = by_name(spans)
    batch = found["batch"]
    assert set(found) == {"batch", "fetch", "decide", "produce", "commit"}
    assert batch.context is not None
    assert batch.parent is not None
    assert (f"{batch.context.trace_id:032x}", f"{batch.parent.span_id:016x}") == (TRACE, SPAN)
    for name in ("fetch", "decide", "produce", "commit"):
        parent = found[name].parent
        assert parent is not None
        assert parent.span_id == batch.context.span_id
    assert batch.attributes is not None
    assert batch.attributes["messaging.batch.message_count"] == 3
    assert carried(bench) == [(("traceparent", f"00-{TRACE}-{batch.context.span_id:016x}-01".encode()),)] * 3


async def test_a_batch_without_a_trace_begins_one(
    tracer: OpenTelemetryTracer, spans: InMemorySpanExporter
) -> None:
    bench = bench_with(tracer, None)
    await bench.run(3)
    batch = by_name(spans)["batch"]
    assert batch.parent is None
    assert batch.context is not None
    assert f"{batch.context.trace_id:032x}".encode() in carried(bench)[0][0][1]


async def test_a_batch_that_is_given_back_is_an_error(
    tracer: OpenTelemetryTracer, spans: InMemorySpanExporter
) -> None:
    bench = bench_with(tracer)
    await bench.turn()
    bench.input.records += [replace(record, offset=record.offset + 3) for record in numbered(b"4")]
    bench.transactions.failures["commit"] = [AbortTransaction("the group has moved on")]
    await bench.run(5)
    ended = [span.status.status_code for span in spans.get_finished_spans() if span.name == "batch"]
    assert ended == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET]


async def test_no_value_or_key_of_a_record_stands_in_a_span(
    tracer: OpenTelemetryTracer, spans: InMemorySpanExporter
) -> None:
    records = [
        replace(record, value=b"11010519491231002X", key=b"11010519491231002X") for record in numbered(b"")
    ]
    await Bench(Copying(), records, sample_policy(1), tracer=tracer).run(3)
    assert spans.get_finished_spans()
    assert "11010519491231002X" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_without_an_endpoint_nothing_of_opentelemetry_is_used() -> None:
    assert isinstance(tracer_for("gate.0", "gate", {}), PassOn)


def test_with_an_endpoint_traces_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracer = tracer_for("gate.0", "gate")
    assert isinstance(tracer, OpenTelemetryTracer)
    tracer.close()
    tracer._provider.shutdown()


def test_a_missing_package_is_told_and_costs_only_the_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert isinstance(tracer_for("gate.0", "gate", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}), PassOn)
