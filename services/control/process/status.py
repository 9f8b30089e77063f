"""What is true of each loop: when it turned last, what keeps it, and for how long; asked by any thread."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from services.control.process.loops import Loop


@dataclass(slots=True)
class _Standing:
    """One loop; times are monotonic seconds."""

    limit_s: float
    turns: int = 0
    worked: int = 0
    failed: int = 0
    errors: int = 0
    """In a row, until now."""
    error: str | None = None
    failing_since: float | None = None
    waits_for: str | None = None
    turning_since: float | None = None
    ended: float | None = None
    took_s: float = 0.0


@dataclass(slots=True)
class Status:
    """The facts that the loops tell, and what they come to."""

    clock: Callable[[], float] = time.monotonic
    _loops: dict[str, _Standing] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def expect(self, loops: Iterable[Loop]) -> None:
        """These loops there are."""
        with self._lock:
            self._loops = {loop.name: _Standing(loop.pace.limit_s) for loop in loops}

    def begun(self, name: str) -> None:
        """A turn begins."""
        with self._lock:
            self._loops[name].turning_since = self.clock()

    def done(self, name: str, *, worked: bool) -> None:
        """A turn has done what there was to do."""
        with self._lock:
            standing = self._ended(name)
            standing.turns += 1
            standing.worked += worked
            _well(standing)

    def waits(self, name: str, what: str) -> None:
        """A turn found that something is not there yet, which is no fault."""
        with self._lock:
            standing = self._ended(name)
            standing.turns += 1
            _well(standing)
            standing.waits_for = what

    def failed(self, name: str, error: str) -> int:
        """A turn failed; returns how many did so in a row."""
        with self._lock:
            standing = self._ended(name)
            standing.failed += 1
            standing.errors += 1
            standing.error, standing.waits_for = error, None
            if standing.failing_since is None:
                standing.failing_since = self.clock()
            return standing.errors

    def not_alive(self) -> list[str]:
        """Why the process should be started again; empty when it should not."""
        with self._lock:
            now = self.clock()
            return [
                f"{name}: a turn has lasted {now - one.turning_since:.0f} s"
                for name, one in sorted(self._loops.items())
                if one.turning_since is not None and now - one.turning_since > one.limit_s
            ]

    def not_ready(self) -> list[str]:
        """Why not everything is done that should be; empty when it is."""
        reasons = self.not_alive()
        with self._lock:
            now = self.clock()
            for name, one in sorted(self._loops.items()):
                if one.error is not None and one.failing_since is not None:
                    reasons.append(f"{name}: {one.error} (for {now - one.failing_since:.0f} s)")
                elif one.ended is None:
                    reasons.append(f"{name}: has not had its first turn")
        return reasons

    def as_json(self) -> dict[str, Any]:
        """Everything, for ``/status``."""
        with self._lock:
            now = self.clock()
            return {
                name: {
                    "turns": one.turns,
                    "worked": one.worked,
                    "failed": one.failed,
                    "error": one.error,
                    "waits_for": one.waits_for,
                    "last_turn_age_s": None if one.ended is None else round(now - one.ended, 3),
                    "last_turn_took_s": round(one.took_s, 3),
                }
                for name, one in sorted(self._loops.items())
            }

    def _ended(self, name: str) -> _Standing:
        standing, now = self._loops[name], self.clock()
        standing.took_s = 0.0 if standing.turning_since is None else now - standing.turning_since
        standing.turning_since, standing.ended = None, now
        return standing


def _well(standing: _Standing) -> None:
    standing.errors, standing.error, standing.failing_since, standing.waits_for = 0, None, None, None
