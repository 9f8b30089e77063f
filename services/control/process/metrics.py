"""The loops in Prometheus' text format; labels are names of loops, never data."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.control.process.status import Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Described(NamedTuple):
    """One metric: its name, its kind, its unit, the fact it shows, its meaning; its label is ``loop``."""

    name: str
    kind: str
    unit: str
    fact: str
    meaning: str


DESCRIBED: Final = (
    Described(
        "govbus_control_turns_total", "counter", "1", "turns", "Turns that did what there was to do."
    ),
    Described("govbus_control_worked_total", "counter", "1", "worked", "Turns that found work."),
    Described("govbus_control_failed_total", "counter", "1", "failed", "Turns that failed."),
    Described(
        "govbus_control_last_turn_age_seconds",
        "gauge",
        "s",
        "last_turn_age_s",
        "How long ago the last turn ended; missing before the first.",
    ),
    Described(
        "govbus_control_last_turn_seconds", "gauge", "s", "last_turn_took_s", "How long the last turn took."
    ),
    Described(
        "govbus_control_failing", "gauge", "1", "error", "1 while the last turn of the loop has failed."
    ),
)


def as_text(status: Status) -> str:
    """The exposition of everything."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Loops(status.as_json()))
    return generate_latest(registry).decode()


class _Loops(Collector):
    def __init__(self, loops: Mapping[str, Mapping[str, Any]]) -> None:
        self._loops = loops

    def collect(self) -> Iterable[Metric]:
        """Every family, each with one sample for each loop."""
        for found in DESCRIBED:
            counter = found.kind == "counter"
            made = CounterMetricFamily if counter else GaugeMetricFamily
            family = made(found.name, found.meaning, labels=["loop"])
            for name, facts in self._loops.items():
                value = facts[found.fact]
                if found.fact == "error":
                    family.add_metric([name], float(value is not None))
                elif value is not None:
                    family.add_metric([name], float(value))
            yield family
