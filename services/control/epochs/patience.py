"""How long a run of an epoch waits where nothing changes."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Patience:
    """How long nothing may change."""

    seconds: float
    _seen: tuple[int, ...] | None = None
    _since: float = field(default_factory=time.monotonic)

    def is_over(self, now: tuple[int, ...]) -> bool:
        """Whether nothing has changed for so long."""
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return time.monotonic() - self._since > self.seconds

    @property
    def is_silent(self) -> bool:
        """Whether nothing has changed for half of it: time to look at what should be working."""
        return time.monotonic() - self._since > self.seconds / 2
