"""What an instance counts and measures, in Prometheus' text format; labels are codes and names, never data.

Every metric stands in ``DESCRIBED``, once; docs/operator/metrics.md is held against it. Names of Kafka's own
matters are those of the field (kafka_exporter), so that dashboards which exist can show them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.processor.contract import InputPartition
from topics.event import ControlReason, StopReason, SupersededReason, WithheldReason
from topics.names import GATE_GROUP

CONTENT_TYPE: Final = "text/plain"
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RECORDS: Final = (1, 3, 10, 30, 100, 300, 1_000, 2_000, 5_000, 10_000, 20_000)


class Described(NamedTuple):
    """One metric: what it is in the text format, its unit, its labels beside ``instance_id``, its meaning."""

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    meaning: str


_COUNTS: Final = {
    "records": "Input records decided and committed.",
    "outputs": "Records written in committed transactions, decision blocks included.",
    "transactions": "Transactions committed, acknowledgements of policy versions included.",
    "rewinds": "Aborted transactions and defects after which the input was taken again.",
    "defects": "Batches that our own code raised for.",
    "producers_recreated": "Producers given up because the outcome of a call was in doubt.",
    "probes": "Records over which the process died before, tried in a child process.",
    "catch_up_records": "Canonical records delivered to a new grant before it went live.",
}
STAGES: Final = ("fetch", "decide", "produce", "commit")
DESCRIBED: Final = (
    *(Described(f"govbus_{name}_total", "counter", "1", (), text) for name, text in _COUNTS.items()),
    Described(
        "govbus_outcomes_total",
        "counter",
        "1",
        ("kind", "code"),
        "Decisions by kind (accepted, stopped, withheld, delivered, …) and, where there is one, reason.",
    ),
    Described(
        "govbus_stage_duration_seconds",
        "histogram",
        "s",
        ("stage",),
        "Time of one batch in a stage: fetch, decide, produce, commit; what is fetched at once and decided "
        "in several batches counts with the first of them.",
    ),
    Described(
        "govbus_transaction_duration_seconds",
        "histogram",
        "s",
        (),
        "From the beginning of a transaction to its commit.",
    ),
    Described("govbus_batch_records", "histogram", "records", (), "Input records of a committed batch."),
    Described(
        "kafka_consumergroup_lag",
        "gauge",
        "records",
        ("consumergroup", "topic", "partition"),
        "Offsets between the next record to be decided and the end of the partition: as last fetched, "
        "and for one that is paused as Kafka tells at the scrape. None for one that was just assigned and "
        "has not been read yet.",
    ),
    Described("govbus_ready", "gauge", "1", (), "1 while the instance decides events, as /readyz says."),
    Described("govbus_healthy", "gauge", "1", (), "0 when it should be started again, as /healthz says."),
    Described("govbus_partitions_owned", "gauge", "partitions", (), "Input partitions of this instance."),
    Described(
        "govbus_partitions_paused", "gauge", "partitions", (), "Those of them that give no records now."
    ),
    Described(
        "govbus_longest_pause_seconds", "gauge", "s", (), "How long the longest paused one has been so."
    ),
    Described(
        "govbus_transaction_open_seconds", "gauge", "s", (), "Age of the open transaction; 0 without one."
    ),
    Described("govbus_policy_version", "gauge", "1", (), "Newest policy version that was adopted."),
    Described(
        "govbus_policy_acknowledged_version",
        "gauge",
        "1",
        (),
        "Newest policy version that applies to all partitions of this instance.",
    ),
    Described("govbus_disputes_number", "gauge", "1", (), "Last change of the disputes that is known."),
    Described(
        "govbus_disputes_unmarked", "gauge", "1", (), "1 while newer disputes cannot be marked; see /status."
    ),
)
_BY_NAME: Final = {found.name: found for found in DESCRIBED}


@dataclass(slots=True)
class Metrics:
    """What one instance has done since it started."""

    instance: str
    group: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    gauges: Callable[[], Mapping[str, float]] = dict
    """Asked at each scrape; names without the prefix ``govbus_``."""
    lags: Callable[[], Mapping[InputPartition, int]] = dict
    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))
    stages: Histogram = field(init=False)
    transactions: Histogram = field(init=False)
    batches: Histogram = field(init=False)

    def __post_init__(self) -> None:
        # When a series began is told by nobody's dashboard and doubles the text.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.stages = self._histogram("govbus_stage_duration_seconds", _SECONDS)
        self.transactions = self._histogram("govbus_transaction_duration_seconds", _SECONDS)
        self.batches = self._histogram("govbus_batch_records", _RECORDS)
        for stage in STAGES:
            self.stages.labels(self.instance, stage)
        self.registry.register(_Facts(self))
        ProcessCollector(registry=self.registry)

    def took(self, stage: str, seconds: float) -> None:
        """One batch was that long in a stage."""
        self.stages.labels(self.instance, stage).observe(seconds)

    def committed(self, records: int, seconds: float) -> None:
        """A batch of so many records is committed; its transaction was open that long."""
        self.batches.labels(self.instance).observe(records)
        self.transactions.labels(self.instance).observe(seconds)

    def as_text(self) -> str:
        """The exposition of everything."""
        return generate_latest(self.registry).decode()

    def _histogram(self, name: str, buckets: Iterable[float]) -> Histogram:
        found = _BY_NAME[name]
        labels = ("instance_id", *found.labels)
        return Histogram(name, found.meaning, labels, registry=self.registry, buckets=tuple(buckets))


class _Facts(Collector):
    """Counters and gauges, read at each scrape from where they are kept."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Every family, those without samples too."""
        metrics, gauges = self._metrics, self._metrics.gauges()
        for found in DESCRIBED:
            if found.kind == "histogram":
                continue
            family = _family(found)
            if found.name == "govbus_outcomes_total":
                for code, count in sorted(metrics.outcomes.items()):
                    family.add_metric([metrics.instance, kind_of(code, metrics.group), code], count)
            elif found.name == "kafka_consumergroup_lag":
                for source, lag in sorted(metrics.lags().items()):
                    labels = [metrics.instance, metrics.group, source.topic, str(source.partition)]
                    family.add_metric(labels, lag)
            elif found.kind == "counter":
                name = found.name.removeprefix("govbus_").removesuffix("_total")
                family.add_metric([metrics.instance], metrics.counts[name])
            else:
                family.add_metric([metrics.instance], gauges.get(found.name.removeprefix("govbus_"), 0.0))
            yield family


def _family(found: Described) -> CounterMetricFamily | GaugeMetricFamily:
    labels = ["instance_id", *found.labels]
    if found.kind == "counter":
        return CounterMetricFamily(found.name, found.meaning, labels=labels)
    return GaugeMetricFamily(found.name, found.meaning, labels=labels)


def kind_of(code: str, group: str) -> str:
    """What an outcome's code is: a reason says why something was stopped, withheld, refused or ignored."""
    own = ("stopped", StopReason) if group == GATE_GROUP else ("withheld", WithheldReason)
    reasons = (own, ("control", ControlReason), ("superseded", SupersededReason))
    return next((kind for kind, codes in reasons if code in set(codes)), code)
