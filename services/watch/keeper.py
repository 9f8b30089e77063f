"""Starts the bus's own processes again that crashed, ever less often; tells when that does not help."""

import subprocess
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from producers.connect_status import Health
from producers.restarter import Alarm as GaveUp
from producers.restarter import RestartHistory, RestartNow, RestartPolicy
from services.watch.judge import Alarm, AlarmKind

ALARM_AFTER: Final = 3
"""So many starts within the time after which one is forgiven: it does not crash by chance."""


class Processes(Protocol):
    """The bus's own processes, as ``services.stack.api.Stack`` has them."""

    def crashed(self) -> Collection[str]:
        """The names of those that were started, that nobody has stopped, and that do not live."""
        ...

    def start_again(self, name: str) -> bool:
        """Start one of them without waiting for it.

        Returns:
            False where it lives, was stopped meanwhile, or cannot be started now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Crash:
    """One process that does not live; ``starts`` counts those of the watch, this one included."""

    name: str
    started: bool
    starts: int


class Keeper:
    """Looks when it is asked to. A process that a person has stopped stays stopped."""

    def __init__(self, processes: Processes, policy: RestartPolicy, clock: Callable[[], float]) -> None:
        self._processes, self._clock = processes, clock
        self._policy = replace(policy, alarm_after=ALARM_AFTER)
        self._histories: dict[str, RestartHistory] = {}

    def look(self) -> list[Crash]:
        """Start again what crashed and is due; every process that does not live is told."""
        crashed = set(self._processes.crashed())
        found = []
        for name in sorted(crashed | self._histories.keys()):
            health = Health.FAILED if name in crashed else Health.RUNNING
            history = self._histories.get(name, RestartHistory())
            self._histories[name] = self._policy.observed(history, health, self._clock())
            if name in crashed:
                found.append(self._start(name))
            elif not self._histories[name].restarts:
                del self._histories[name]
        return found

    def alarms(self) -> Iterator[Alarm]:
        """What crashes again and again, until it has lived for long."""
        for name, history in sorted(self._histories.items()):
            if len(history.restarts) >= self._policy.alarm_after:
                detail = f"it crashed and was started again {len(history.restarts)} times"
                remedy = f"govbus logs {name}, mend the cause; starts go on by themselves"
                yield Alarm(AlarmKind.PROCESS_CRASHED, name, detail, remedy)

    def _start(self, name: str) -> Crash:
        history, now = self._histories[name], self._clock()
        decision = self._policy.decide(history, now)
        step = decision.then if isinstance(decision, GaveUp) else decision
        if not isinstance(step, RestartNow):
            return Crash(name, started=False, starts=len(history.restarts))
        try:
            started = self._processes.start_again(name)
        except (OSError, subprocess.SubprocessError):
            # The next look shows that it still does not live.
            started = False
        if started:
            self._histories[name] = replace(history, restarts=(*history.restarts, now))
        return Crash(name, started, len(self._histories[name].restarts))
