"""Remembers which alarms are raised, so that each is told once when it rises and once when it is over."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.watch.judge import Alarm, AlarmKind


@dataclass(frozen=True, slots=True)
class Turn:
    """What one round changed."""

    raised: tuple[Alarm, ...]
    cleared: tuple[Alarm, ...]


@dataclass(slots=True)
class AlarmBook:
    """Alarms that stand now, and how often each kind was raised since the start."""

    standing: dict[tuple[AlarmKind, str], Alarm] = field(default_factory=dict)
    raised: Counter[AlarmKind] = field(default_factory=Counter)

    def turn(self, seen: Iterable[Alarm]) -> Turn:
        """Take what one round saw; an alarm that was not seen again is over."""
        now = {alarm.key: alarm for alarm in seen}
        raised = tuple(sorted(alarm for key, alarm in now.items() if key not in self.standing))
        cleared = tuple(sorted(alarm for key, alarm in self.standing.items() if key not in now))
        self.standing = now
        self.raised.update(alarm.kind for alarm in raised)
        return Turn(raised, cleared)
