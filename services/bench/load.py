"""Bench 5: a whole register from the snapshot to all grants: rows per second, peak memory of each process."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.bench.books import Books
from services.bench.probe import ProcessEnded, family_mb, resident_mb
from services.bench.ride import Ride
from services.bench.source import SourceDatabase

_DATABASE: Final = "postgres"
"""A process for each session, which share their buffers."""
_PROCESSES: Final = ("kafka", "connect", "registry", _DATABASE, "gate.0", "fanout.default.0")
_LOOK_S: Final = 1.0
_ROWS_EVERY: Final = 5


def run(ride: Ride, rows: int) -> dict[str, Any]:
    """Fill the table, let Debezium take it whole, and wait until every grant has what it covers."""
    database = SourceDatabase(ride.stack)
    database.create()
    ride.say(f"{rows} rows are written to the register")
    database.fill(rows, ride.seed)
    pids = {"gate.0": ride.machinery.start_gate(), "fanout.default.0": ride.machinery.start_fanout("default")}
    pids |= {name: ride.pid(name) for name in _PROCESSES if name not in pids}
    database.open_for_capture()
    books = Books.open(ride.stack)
    wanted = {
        entry.grant.id: rows // _ROWS_EVERY if entry.grant.rows else rows
        for entry in ride.machinery.policy().grants_of("default")
    }
    begin = time.monotonic()
    ride.machinery.apply()
    try:
        times, memory = _follow(ride, books, pids, rows, wanted, begin)
    finally:
        books.close()
    outputs = sum(wanted.values())
    return {
        "rows": rows,
        "delivered": outputs,
        "times": times,
        "rows_per_second": round(rows / times["all_grants"], 1),
        "delivered_per_second": round(outputs / times["all_grants"], 1),
        "peak_resident_mb": memory,
    }


def _follow(
    ride: Ride, books: Books, pids: dict[str, int], rows: int, wanted: dict[Any, int], begin: float
) -> tuple[dict[str, float], dict[str, float]]:
    """When the gate and the grants were done, in seconds since the connector was put; peaks of memory."""
    times: dict[str, float] = {}
    peaks = _Peaks(pids, dict.fromkeys(pids, 0.0))
    shown = begin

    def note(found: Books) -> bool:
        nonlocal shown
        now = time.monotonic()
        peaks.look(now)
        if found.outcomes["accepted"] and "first_accepted" not in times:
            times["first_accepted"] = round(now - begin, 1)
        if found.outcomes["accepted"] >= rows and "gate" not in times:
            times["gate"] = round(now - begin, 1)
        if now - shown > 10:
            shown = now
            ride.say(f"{found.outcomes['accepted']} rows accepted, {sum(found.delivered.values())} delivered")
        return all(found.delivered[grant] >= count for grant, count in wanted.items())

    books.wait(note, idle_s=120, what=f"{rows} rows in every grant")
    times["all_grants"] = round(time.monotonic() - begin, 1)
    return times, peaks.mb


@dataclass(slots=True)
class _Peaks:
    """The most that each process was seen to hold, in MB."""

    pids: Mapping[str, int]
    mb: dict[str, float]
    _looked: float = -math.inf

    def look(self, now: float) -> None:
        """Look once a second."""
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        for name, pid in self.pids.items():
            self.mb[name] = max(self.mb[name], _held(name, pid))


def _held(name: str, pid: int) -> float:
    try:
        return round(family_mb(pid) if name == _DATABASE else resident_mb(pid), 1)
    except ProcessEnded:
        return 0.0
