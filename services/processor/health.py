"""What is true about this instance: not whether a process exists, but whether it decides events."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

_log = logging.getLogger(__name__)

STUCK_SECONDS: Final = 3.0
"""A transaction that is open for longer lets nothing through; most end within a tenth of a second."""
SILENT_SECONDS: Final = 10.0
"""Kafka is asked every two seconds; without an answer for longer than this the instance is not ready."""


@dataclass(slots=True)
class Health:
    """Facts that the runner keeps; times are monotonic seconds."""

    lease_s: float
    transaction_limit_s: float
    clock: Callable[[], float] = time.monotonic
    transport: str = ""
    """How records travel: ``native`` or ``confluent``."""
    engine: str = ""
    """What decides them, where the processor has a choice: ``native``, ``generated`` or ``reference``."""
    last_turn: float | None = None
    transaction_since: float | None = None
    producer_open: bool = False
    joined: bool = False
    topics: int = 0
    partitions: int = 0
    paused: dict[str, float] = field(default_factory=dict)
    """Partition of ours that gives no records now → since when."""
    adopted_version: int | None = None
    acknowledged_version: int | None = None
    disputes: int = 0
    """Number of the last change of the disputes that is known to the processor."""
    disputes_problem: str | None = None
    """Why newer disputes are not marked; deliveries go on all the same."""
    answered_at: float | None = None
    """When Kafka last answered what the data path needs of it; None before it was asked."""
    silence: str = ""
    """What it did not answer since."""
    stopped: str | None = None
    problems: dict[str, str] = field(default_factory=dict)
    """Part → what keeps it from working now; no record contents."""
    acknowledgements: dict[str, int] = field(default_factory=dict)
    """Instance → newest policy version that it acknowledged, as far as this instance read them."""

    def turn(self) -> None:
        """One turn of the loop is complete."""
        self.last_turn = self.clock()

    def answered(self) -> None:
        """Kafka answers."""
        self.answered_at, self.silence = self.clock(), ""

    def unanswered(self, what: str) -> None:
        """Kafka did not answer this; the time since it last did goes on."""
        self.silence = what

    def paused_are(self, partitions: Iterable[str]) -> None:
        """These and no others are paused; one that was so before keeps its time."""
        now = self.clock()
        self.paused = {partition: self.paused.get(partition, now) for partition in partitions}

    @property
    def longest_pause_s(self) -> float:
        """How long the longest paused partition has been so; 0 where none is."""
        return self.clock() - min(self.paused.values(), default=self.clock())

    @property
    def transaction_open_s(self) -> float:
        """How long a transaction has been open; 0 without one."""
        return 0.0 if self.transaction_since is None else self.clock() - self.transaction_since

    def tell(self, part: str, problem: str | None, *, logged: bool = False) -> None:
        """Set or clear the problem of a part; who asks later why nothing went on finds it in the log.

        ``logged`` is for who writes its problems down already.
        """
        if problem is None:
            self.problems.pop(part, None)
            return
        if not logged and self.problems.get(part) != problem:
            _log.info("%s waits: %s", part, problem)
        self.problems[part] = problem

    def not_alive(self) -> list[str]:
        """Why the instance should be started again; empty when it should not."""
        now = self.clock()
        reasons = []
        if self.stopped is not None:
            reasons.append(f"stopped: {self.stopped}")
        if self.last_turn is not None and now - self.last_turn > self.lease_s:
            reasons.append(f"the loop has not turned for {now - self.last_turn:.0f} s")
        if self.transaction_open_s > 2 * self.transaction_limit_s:
            reasons.append(f"a transaction is open for {self.transaction_open_s:.0f} s")
        return reasons

    def not_ready(self) -> list[str]:
        """Why no event is decided now; empty when events are."""
        reasons = self.not_alive()
        if not reasons and self.transaction_open_s > STUCK_SECONDS:
            reasons.append(f"a transaction is stuck for {self.transaction_open_s:.0f} s")
        if self.last_turn is None:
            reasons.append("the loop has not started")
        if not self.producer_open:
            reasons.append("the transactional producer is not initialised")
        if self.adopted_version is None:
            reasons.append("no policy is adopted")
        elif self.acknowledged_version != self.adopted_version:
            reasons.append(f"policy version {self.adopted_version} is not acknowledged")
        if self.topics and not self.joined:
            reasons.append("the group has not assigned partitions")
        reasons += self._silent() + self._paused()
        return reasons + [f"{part}: {problem}" for part, problem in sorted(self.problems.items())]

    def _silent(self) -> list[str]:
        silent_s = 0.0 if self.answered_at is None else self.clock() - self.answered_at
        why = f" ({self.silence})" if self.silence else ""
        return [f"Kafka has not answered for {silent_s:.0f} s{why}"] if silent_s > SILENT_SECONDS else []

    def _paused(self) -> list[str]:
        """What is paused for a moment is told as a number; what is so beyond the lease by its name."""
        now = self.clock()
        late = {name: now - since for name, since in self.paused.items() if now - since > self.lease_s}
        reasons = [f"{name} is paused for {seconds:.0f} s" for name, seconds in sorted(late.items())]
        if len(late) < len(self.paused):
            reasons.append(f"{len(self.paused) - len(late)} partitions are not positioned and loaded")
        return reasons

    def gauges(self) -> dict[str, float]:
        """What is exposed as metrics, by name."""
        return {
            "ready": float(not self.not_ready()),
            "healthy": float(not self.not_alive()),
            "partitions_owned": float(self.partitions),
            "partitions_paused": float(len(self.paused)),
            "longest_pause_seconds": self.longest_pause_s,
            "transaction_open_seconds": self.transaction_open_s,
            "policy_version": float(self.adopted_version or 0),
            "policy_acknowledged_version": float(self.acknowledged_version or 0),
            "disputes_number": float(self.disputes),
            "disputes_unmarked": float(self.disputes_problem is not None),
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, for ``/status``."""
        return {
            "alive": not self.not_alive(),
            "ready": not self.not_ready(),
            "reasons": self.not_ready(),
            "policy": {"adopted": self.adopted_version, "acknowledged": self.acknowledged_version},
            "disputes": {"number": self.disputes, "problem": self.disputes_problem},
            "transport": self.transport,
            "engine": self.engine,
            "topics": self.topics,
            "partitions": self.partitions,
            "paused": {name: round(self.clock() - since, 1) for name, since in sorted(self.paused.items())},
            "acknowledgements_seen": dict(sorted(self.acknowledgements.items())),
        }
