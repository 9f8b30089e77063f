"""Counters in Prometheus' text format; labels are reason codes, never data."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Metrics:
    """What one instance has done since it started."""

    instance: str
    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def as_text(self, gauges: dict[str, float]) -> str:
        """The exposition of all counters and the given gauges."""
        label = f'instance_id="{self.instance}"'
        lines = [f"govbus_{name}_total{{{label}}} {value}" for name, value in sorted(self.counts.items())]
        lines += [
            f'govbus_outcomes_total{{{label},code="{code}"}} {value}'
            for code, value in sorted(self.outcomes.items())
        ]
        lines += [f"govbus_{name}{{{label}}} {value:g}" for name, value in sorted(gauges.items())]
        return "\n".join(lines) + "\n"
