"""What `govbus demo --json` answers: counts, reasons, the balance and the latencies of the story."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.demo.latency import Latencies
from services.demo.week_book import PlayedDay

CLOCKS = {
    "from": "source commit timestamp (PostgreSQL server clock, whole milliseconds, header ce_time)",
    "to": "record returned by a read_committed consumer on the grant topic (clock of the machine that reads)",
}


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """The whole answer; ``as_json`` gives the shape that docs/cli/demo.schema.json describes."""

    topics: Mapping[str, int]
    quarantined: Mapping[str, int]
    withheld: Mapping[str, Mapping[str, int]]
    balance: Mapping[str, Any]
    latencies: Latencies
    first_delivery_seconds: float | None
    refused_reader: str
    portal: Mapping[str, Any] = field(default_factory=lambda: {"url": None, "accounts": []}, repr=False)
    """Where the portal is, and the accounts with the passwords that were generated now."""
    week: Sequence[PlayedDay] = ()
    """The days that were played besides, where any were asked for."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return {
            "topics": dict(self.topics),
            "quarantined": dict(self.quarantined),
            "withheld": {grant: dict(reasons) for grant, reasons in self.withheld.items()},
            "balance": dict(self.balance),
            "latency_ms": {
                "p50": percentile(self.latencies.milliseconds, 50),
                "p99": percentile(self.latencies.milliseconds, 99),
                "records": len(self.latencies.milliseconds),
                "expected": self.latencies.expected,
                "missing": self.latencies.missing,
                "grant": self.latencies.grant,
                "clocks": CLOCKS,
            },
            "first_delivery_seconds": self.first_delivery_seconds,
            "department_without_grant": self.refused_reader,
            "portal": dict(self.portal),
            "week": [day.as_json() for day in self.week],
        }

    def latency_text(self) -> str:
        """The latencies in one sentence; it names the changes that are in no figure."""
        shown = self.as_json()["latency_ms"]
        text = (
            f"commit to readable under {shown['grant']}: p50 {shown['p50']} ms, p99 {shown['p99']} ms"
            f" over {shown['records']} of {shown['expected']} changes"
        )
        return f"{text}; {shown['missing']} NEVER BECAME READABLE" if shown["missing"] else text


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile, in the values' own unit; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return round(ordered[rank - 1], 1)
