"""Counts requests that were refused, by what was asked for and why; never by who asked."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock


class Refusals:
    """How often what was refused since the process began."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, action: str, reason: str) -> None:
        """One more."""
        with self._lock:
            self._counts[action, reason] += 1

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Action and reason → how often."""
        with self._lock:
            return dict(self._counts)
