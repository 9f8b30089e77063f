"""What a played week left behind: which stretch of the bus each day is, so that an auditor can ask for it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_FILE: Final = "demo-week.json"


@dataclass(frozen=True, slots=True)
class PlayedDay:
    """One day that has been played.

    Args:
        number: from 1.
        event_day: the date that the day's rows carry in ``updated_at``, ISO 8601.
        since: when the day began on the bus, UTC, whole seconds.
        until: when everything of it was decided; the next day began later.
        changes: rows that changed at the sources.
        offsets: raw partition (``topic/partition``) → first offset of the day and one past its last.
        told: what the authority did on that day, if anything.
    """

    number: int
    event_day: str
    since: str
    until: str
    changes: int
    offsets: Mapping[str, tuple[int, int]]
    told: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return {**asdict(self), "offsets": {name: list(pair) for name, pair in self.offsets.items()}}


def second_of(ms: int) -> str:
    """A moment as the commands take it: UTC, whole seconds, rounded down."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stretches(
    before: Mapping[tuple[str, int], int], after: Mapping[tuple[str, int], int]
) -> dict[str, tuple[int, int]]:
    """The partitions in which something was decided between two looks, each with where and how far."""
    return {
        f"{topic}/{partition}": (before.get((topic, partition), 0), end)
        for (topic, partition), end in sorted(after.items())
        if end > before.get((topic, partition), 0)
    }


def write_book(home: Path, days: list[PlayedDay]) -> Path:
    """Keep the week beside the stack's data; the file names no person."""
    path = home / _FILE
    path.write_text(json.dumps([day.as_json() for day in days], indent=1) + "\n", encoding="utf-8")
    return path
