"""How long to wait before the next attempt: exponential, with jitter, up to a limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Waits between the attempts at one record.

    Raises:
        ValueError: there would be no attempt, or a wait would not be positive.
    """

    attempts: int = 6
    """Attempts at a record before it is parked."""
    first_s: float = 0.2
    factor: float = 2.0
    longest_s: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_s <= 0 or self.factor < 1 or self.longest_s < self.first_s:
            raise ValueError("a retry needs an attempt, positive waits and a factor of 1 or more")

    def wait_s(self, failures: int, chance: float) -> float:
        """Seconds to wait after that many failures.

        Args:
            failures: how often it has failed so far, 1 or more.
            chance: a random number from 0 to 1; the wait is between half and the whole of its step, so that
                many readers of one broken system do not come back at the same moment.
        """
        # The exponent is bounded, because a float overflows after about a thousand failures.
        step = min(self.longest_s, self.first_s * self.factor ** min(failures - 1, 60))
        return step * (0.5 + chance / 2)
