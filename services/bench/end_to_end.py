"""Bench 3: from the commit in PostgreSQL to a department's read, at several rates, stage by stage."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.bench.books import Books
from services.bench.latency import Arrival, Department, Stages, percentiles
from services.bench.probe import cpu_seconds
from services.bench.ride import Ride
from services.bench.source import SourceDatabase
from services.bench.workload import PERSON
from topics.event import GrantId

GRANT: Final = GrantId("health-persons")
RATES: Final = (500, 2_000, 5_000)
"""Those that are always reported."""
BETWEEN: Final = (250, 1_000, 3_000, 4_000, 7_000, 10_000, 12_500, 15_000, 20_000)
"""Tried in between for the highest rate that stays bounded, until the first that does not."""
TRANSACTIONS_PER_SECOND: Final = 500
"""At higher rates a transaction changes several rows, as a busy register's do."""
WARM_UP_RATE: Final = 2_000
_CONNECTIONS: Final = 4
_IDLE_S: Final = 20.0
_MEASURED: Final = ("kafka", "connect", "gate.0", "fanout.default.0")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, over how many rows."""

    rates: Sequence[int]
    between: Sequence[int]
    seconds: float
    rows: int
    warm_up_s: float = 60.0
    """Until then Kafka's and Connect's compilers take a core of their own, as they do in no second hour."""


@dataclass(slots=True)
class Line:
    """The whole way, running."""

    ride: Ride
    plan: Plan
    database: SourceDatabase
    department: Department
    stages: Stages
    topics: tuple[str, str]
    """Raw and canonical."""
    pids: Mapping[str, int]
    results: dict[int, dict[str, Any]] = field(default_factory=dict)

    def at(self, rate: int) -> bool:
        """Measure one rate; return whether its latency stayed bounded."""
        raw, canonical = (self.ride.io.ends(topic) for topic in self.topics)
        before = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        self.department.take()
        written = self._write(rate, self.plan.seconds)
        arrivals = self._await(int(written["changes"]))
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in self.pids.items()}
        result = judged(arrivals, written, rate)
        result["stages"] = self.stages.split(
            arrivals,
            {_change(each): each.timestamp_ms for each in self.ride.io.read_from(raw)},
            {
                self.stages.change_of(each.value): each.timestamp_ms
                for each in self.ride.io.read_from(canonical)
                if each.value is not None
            },
        )
        result["us_per_change"] = {
            name: round(seconds / max(1, len(arrivals)) * 1e6, 1) for name, seconds in spent.items()
        }
        self.results[rate] = result
        self.ride.say(f"{rate}/s: {result['latency_ms']}, bounded: {result['bounded']}")
        return bool(result["bounded"])

    def warm_up(self) -> None:
        """Let every process meet what is coming; nothing of it is kept."""
        self.ride.say(f"warming up for {self.plan.warm_up_s:.0f} s at {WARM_UP_RATE} changes/s")
        written = self._write(WARM_UP_RATE, self.plan.warm_up_s)
        self._await(int(written["changes"]))

    def _write(self, rate: int, seconds: float) -> dict[str, float]:
        arguments = {
            "rate": rate,
            "seconds": seconds,
            "per-transaction": max(1, rate // TRANSACTIONS_PER_SECOND),
            "connections": _CONNECTIONS,
            "rows": self.plan.rows,
            "seed": self.ride.seed + rate,
        }
        words = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
        done = subprocess.run(
            [sys.executable, "-m", "services.bench.writer", *words],
            env={**os.environ, "GOVBUS_BENCH_DSN": self.database.dsn()},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=seconds * 20 + 60,
        )
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def _await(self, wanted: int) -> list[Arrival]:
        """All arrivals, or those that came until nothing more did."""
        seen, last = -1, time.monotonic()
        while self.department.count() < wanted and time.monotonic() - last < _IDLE_S:
            if self.department.count() > seen:
                seen, last = self.department.count(), time.monotonic()
            time.sleep(0.05)
        return self.department.take()


def _change(record: Any) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def judged(arrivals: Sequence[Arrival], written: Mapping[str, float], rate: int) -> dict[str, Any]:
    """Figures of one rate; bounded: everything arrived, and the end was hardly later than the middle.

    The first third of the changes is left out, since there the line may still be warming up; the median of
    the last third may be a quarter and 100 ms above that of the second. A p99 of more than a fifth of the
    run's time is not bounded: a backlog that grows would not have shown in so short a run.
    """
    ordered = sorted(arrivals, key=lambda each: each.committed_ms)
    third = len(ordered) // 3
    parts = (ordered[:third], ordered[third : 2 * third], ordered[2 * third :])
    medians = [found["p50"] for part in parts if (found := percentiles([each.latency_ms for each in part]))]
    achieved = written["changes"] / written["seconds"]
    whole = len(ordered) == int(written["changes"])
    total = percentiles([each.latency_ms for each in ordered])
    calm = len(medians) == len(parts) and medians[2] <= 1.25 * medians[1] + 100
    short = total is not None and total["p99"] <= written["seconds"] * 1_000 / 5
    return {
        "changes": int(written["changes"]),
        "arrived": len(ordered),
        "achieved_per_second": round(achieved, 1),
        "latency_ms": total,
        "median_of_thirds_ms": medians,
        "bounded": bool(whole and calm and short and achieved >= 0.95 * rate),
    }


def run(ride: Ride, plan: Plan) -> dict[str, Any]:
    """Build the line, fill it, measure every rate, and return the answer."""
    line = _line(ride, plan)
    try:
        line.warm_up()
        bounded = [rate for rate in plan.rates if line.at(rate)]
        for rate in sorted(plan.between):
            unbounded = [each for each in line.results if not line.results[each]["bounded"]]
            if rate < min(unbounded, default=rate + 1) and line.at(rate):
                bounded.append(rate)
    finally:
        line.department.close()
    return {
        "seconds_per_rate": plan.seconds,
        "rows": plan.rows,
        "rates": {str(rate): line.results[rate] for rate in sorted(line.results)},
        "highest_bounded_rate": max(bounded, default=None),
        "synchronous_commit": "on",
    }


def _line(ride: Ride, plan: Plan) -> Line:
    database = SourceDatabase(ride.stack)
    database.create()
    database.fill(plan.rows, ride.seed)
    ride.machinery.start_gate()
    ride.machinery.start_fanout("default")
    database.open_for_capture()
    ride.machinery.apply()
    books = Books.open(ride.stack)
    ride.say(f"{plan.rows} rows are captured first")
    try:
        books.wait(lambda found: found.delivered[GRANT] >= plan.rows, what="the first load")
    finally:
        books.close()
    policy = ride.machinery.policy()
    resource = policy.resources[PERSON]
    grant = policy.grants[GRANT].grant
    credentials = ride.stack.settings.home / "credentials" / f"{grant.consumer}.json"
    return Line(
        ride,
        plan,
        database,
        Department(credentials, grant.topic),
        Stages(resource.envelope_schema),
        (resource.resource.raw_topic, resource.resource.canonical_topic),
        {name: ride.pid(name) for name in _MEASURED},
    )
