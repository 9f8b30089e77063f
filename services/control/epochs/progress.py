"""How far an epoch is, how fast, and how long it will take; pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from topics.event import ResourceId


class Phase(StrEnum):
    """What an epoch is at."""

    ASKED = "asked"
    SCANNING = "scanning"
    COUNTING = "counting"
    DECIDING = "deciding"
    COMPARING = "comparing"
    SWEEPING = "sweeping"


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of so many; ``of`` is None where nobody can tell, and an estimate while it is scanned."""

    resource: ResourceId
    number: int
    phase: Phase
    done: int
    of: int | None


@dataclass(slots=True)
class Pace:
    """Rate and time left of one phase."""

    _phase: Phase | None = None
    _since: float = 0.0
    _from: int = field(default=0)

    def of(self, progress: Progress, now: float) -> tuple[float, float | None]:
        """Per second since the phase began, and the seconds left; None where that cannot be told."""
        if progress.phase is not self._phase:
            self._phase, self._since, self._from = progress.phase, now, progress.done
        seconds = now - self._since
        rate = (progress.done - self._from) / seconds if seconds > 0 else 0.0
        if progress.of is None or rate <= 0:
            return max(0.0, rate), None
        return rate, max(0.0, (progress.of - progress.done) / rate)
