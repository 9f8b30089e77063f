"""What is true about this instance: not whether a process exists, but whether it decides events."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Health:
    """Facts that the runner keeps; times are monotonic seconds."""

    lease_s: float
    transaction_limit_s: float
    clock: Callable[[], float] = time.monotonic
    transport: str = ""
    """How records travel: ``native`` or ``confluent``."""
    engine: str = ""
    """Who decides: ``native``, ``generated`` or ``reference``."""
    last_turn: float | None = None
    transaction_since: float | None = None
    producer_open: bool = False
    joined: bool = False
    topics: int = 0
    partitions: int = 0
    waiting_partitions: int = 0
    adopted_version: int | None = None
    acknowledged_version: int | None = None
    stopped: str | None = None
    problems: dict[str, str] = field(default_factory=dict)
    """Part → what keeps it from working now; no record contents."""
    acknowledgements: dict[str, int] = field(default_factory=dict)
    """Instance → newest policy version that it acknowledged, as far as this instance read them."""

    def turn(self) -> None:
        """One turn of the loop is complete."""
        self.last_turn = self.clock()

    def tell(self, part: str, problem: str | None) -> None:
        """Set or clear the problem of a part."""
        if problem is None:
            self.problems.pop(part, None)
        else:
            self.problems[part] = problem

    def not_alive(self) -> list[str]:
        """Why the instance should be started again; empty when it should not."""
        now = self.clock()
        reasons = []
        if self.stopped is not None:
            reasons.append(f"stopped: {self.stopped}")
        if self.last_turn is not None and now - self.last_turn > self.lease_s:
            reasons.append(f"the loop has not turned for {now - self.last_turn:.0f} s")
        if self.transaction_since is not None and now - self.transaction_since > self.transaction_limit_s:
            reasons.append(f"a transaction is open for {now - self.transaction_since:.0f} s")
        return reasons

    def not_ready(self) -> list[str]:
        """Why no event is decided now; empty when events are."""
        reasons = self.not_alive()
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
        if self.waiting_partitions:
            reasons.append(f"{self.waiting_partitions} partitions are not positioned and loaded")
        return reasons + [f"{part}: {problem}" for part, problem in sorted(self.problems.items())]

    def as_json(self) -> dict[str, Any]:
        """Everything, for ``/status``."""
        return {
            "alive": not self.not_alive(),
            "ready": not self.not_ready(),
            "reasons": self.not_ready(),
            "policy": {"adopted": self.adopted_version, "acknowledged": self.acknowledged_version},
            "transport": self.transport,
            "engine": self.engine,
            "topics": self.topics,
            "partitions": self.partitions,
            "acknowledgements_seen": dict(sorted(self.acknowledgements.items())),
        }
